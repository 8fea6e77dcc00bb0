/** The ring on real memory, from one thread: against an array, wherever its tickets begin. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SharedRingMemory } from '../../src/threads/ring-memory.ts';
import { layTickets, SharedRingQueue } from '../../src/threads/shared-ring-queue.ts';

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 52,
});
const firstTickets = fc.constantFrom(0, 2 ** 31 - 32, 2 ** 31 - 8, 2 ** 32 - 32, 2 ** 32 - 8);

test('by itself, it is made in one place and laid over the same memory in others', () => {
  const buffer = SharedRingQueue.allocate(4);
  const [one, other] = [SharedRingQueue.over(buffer), SharedRingQueue.over(buffer)];
  expect([one.capacity, other.capacity]).toEqual([4, 4]);
  expect(one.push(7, '1.2.3')).toBe('queued');
  expect(other.size).toBe(1);
  expect(other.pop()).toEqual({ sessionKey: 7, objectId: '1.2.3' });
  expect(one.pop()).toBe('empty');
  expect(() => SharedRingQueue.over(new SharedArrayBuffer(64))).toThrow("not a ring's buffer");
});

test('it is a bounded queue, which takes what fits a slot until it is closed', () => {
  const anyId = fc.oneof(
    { weight: 4, arbitrary: latin1 },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }) },
  );
  const call = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.nat({ max: 2 ** 31 - 1 }), anyId) },
    { weight: 20, arbitrary: fc.constantFrom('pop', 'sleep', 'stepOver') },
    { weight: 1, arbitrary: fc.constant('close') },
  );
  const calls = fc.array(call, { maxLength: 200 });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 4, 64), firstTickets, calls, (capacity, firstTicket, made) => {
      const ring = ringAt(capacity, firstTicket);
      const model: { sessionKey: number; objectId: string }[] = [];
      let isClosed = false;
      for (const each of made) {
        if (each === 'pop') {
          expect(ring.pop()).toEqual(model.shift() ?? 'empty');
        } else if (each === 'sleep') {
          expect(ring.sleep() === undefined).toBe(model.length > 0);
        } else if (each === 'stepOver') {
          expect(ring.stepOver()).toBe(false); // Nobody is in the middle of a push.
        } else if (each === 'close') {
          ring.close();
          isClosed = true;
        } else {
          const [sessionKey, objectId] = each as [number, string];
          const isFit = objectId.length <= 52 && /^[\0-\u00ff]*$/.test(objectId);
          const isTaken = isFit && !isClosed && model.length < capacity;
          const outcome = isTaken ? 'queued' : !isFit ? 'unfit' : isClosed ? 'closed' : 'full';
          expect(ring.push(sessionKey, objectId)).toBe(outcome);
          if (isTaken) model.push({ sessionKey, objectId });
        }
        expect(ring.size).toBe(model.length);
        expect(ring.isClosed).toBe(isClosed);
      }
      ring.wake();
    }),
  );
});

test.each(['x'.repeat(53), 'ł', '1.2.3\u0100', '\ud83d\ude00'])(
  '%j does not fit a slot, and none is taken for it',
  (id) => {
    const ring = ringAt(2, 0);
    expect(ring.push(1, id)).toBe('unfit');
    expect(ring.size).toBe(0);
  },
);

test('once closed it takes nothing, and gives what it has', () => {
  const ring = ringAt(4, 0);
  ring.push(1, 'in');
  ring.close();
  expect(ring.isClosed).toBe(true);
  expect(ring.push(1, 'late')).toBe('closed');
  expect(ring.pop()).toEqual({ sessionKey: 1, objectId: 'in' });
  expect(ring.pop()).toBe('empty');
  expect(ring.sleep()).toBeInstanceOf(Promise);
});

test('a producer that was only slow loses nothing: it hands its slot back, and takes another', () => {
  const memory = memoryAt(2, 0);
  const ring = new SharedRingQueue(memory);
  const { writeSlot } = SharedRingMemory.prototype;
  memory.writeSlot = (slot) => {
    memory.writeSlot = writeSlot;
    expect(ring.pop()).toBe('gap');
    expect(ring.stepOver()).toBe(true);
    memory.writeSlot(slot);
  };
  expect(ring.push(1, 'slow')).toBe('queued');
  expect(ring.pop()).toEqual({ sessionKey: 1, objectId: 'slow' });
  // A lap on, both slots serve again.
  ring.push(1, 'a');
  expect(ring.pop()).toEqual({ sessionKey: 1, objectId: 'a' });
  ring.push(1, 'b');
  ring.push(1, 'c');
  expect([ring.pop(), ring.pop(), ring.pop()]).toEqual([
    { sessionKey: 1, objectId: 'b' },
    { sessionKey: 1, objectId: 'c' },
    'empty',
  ]);
});

function memoryAt(capacity: number, firstTicket: number): SharedRingMemory {
  const memory = SharedRingMemory.over(SharedRingMemory.allocate(capacity));
  layTickets(memory, firstTicket);
  return memory;
}

function ringAt(capacity: number, firstTicket: number): SharedRingQueue {
  return new SharedRingQueue(memoryAt(capacity, firstTicket));
}
