/**
 * A copying collector for remote objects. Where few members of a group live on, they are bound anew in a group of their
 * own, which gives them new ids, and the old group is released whole: four commands, and not one for each of the dead.
 *
 * Nothing is lost if it fails half-way: the old ids are valid until the old group is released, which happens only after
 * each survivor has its new one. Whoever still holds an old id as a string is served by the ledger's former ids.
 */
import { PlainRelease, refusalOf } from '../batcher/release.ts';
import { countCommands } from '../batcher/stats.ts';
import {
  COMMANDS_OF_A_MOVE,
  COST_PER_SURVIVOR,
  DEAD_IN_A_LARGE_GROUP,
  FAR_MS,
  FEWEST_DEAD,
  MOST_BOUND_SINGLY,
  MOST_MOVED,
  MOST_MOVED_PER_DEAD,
  MOST_MOVES_TRIED,
  RELEASE_MS,
} from '../policy.ts';
import { type BoundedWait, settledUnattended } from '../runtime/event-loop.ts';
import type { RemoteObject } from './protocol.ts';
import type { Context, Group, Handle } from './session-ledger.ts';

/**
 * Whether a group's survivors may be moved, and it pays. It pays while not many more members live than are dead. Nothing is moved
 * in sessions that do not keep order, because a release could overtake the move; nor in a target that is debugged or profiled,
 * because the script that moves survivors would be seen.
 */
export function isWorthMoving(group: Group): boolean {
  const { ledger } = group;
  return (
    ledger.services.movesSurvivors &&
    ledger.isOrdered &&
    !ledger.hasEnded &&
    !ledger.isAbandoned &&
    !ledger.target.isWatched &&
    group.failedMoves < MOST_MOVES_TRIED &&
    group.pending === 0 &&
    group.pinned === 0 &&
    group.dropped >= FEWEST_DEAD &&
    group.live <= Math.min(MOST_MOVED_PER_DEAD * group.dropped, MOST_MOVED) &&
    survivorsOf(group).every((record) => record.context?.executionContextId !== undefined)
  );
}

/** What a move costs, in commands: the browser needs as long for each as for the release of one handle. */
export function costOfMoving(group: Group): number {
  return COMMANDS_OF_A_MOVE + group.live * COST_PER_SURVIVOR;
}

/**
 * Whether a move is over as soon as releases one by one would be. A move needs round trips before the group can be released, and
 * these are long if the browser is far away.
 */
export function isSoonMoved({ ledger, live, disposed }: Group): boolean {
  const { roundTripMs } = ledger.queue;
  if (roundTripMs < FAR_MS || disposed < DEAD_IN_A_LARGE_GROUP) return true; // With fewer, sparing commands is worth more.
  const roundTrips = isBoundSingly(live, roundTripMs) ? 1 : 2;
  return roundTrips * roundTripMs <= disposed * RELEASE_MS;
}

/** Whether survivors are bound by a call each, which spares the round trip of a list. Nearby, that is not worth the commands. */
function isBoundSingly(survivors: number, roundTripMs: number): boolean {
  return survivors <= MOST_BOUND_SINGLY && roundTripMs >= FAR_MS;
}

/**
 * Moves the survivors of these groups, and has each group judged anew. A move is given up after the timeout of a release: a page that
 * hangs may answer later, and moves nothing then. Never rejects.
 */
export async function moveSurvivors(groups: readonly Group[]): Promise<void> {
  const formerIds = new Map(groups.map((group) => [group, survivorsOf(group).map(withId)]));
  for (const group of groups) {
    group.ledger.closeGroup(group); // It may still be open: new mints go into another group from now on.
    group.ledger.setStage(group, 'moving');
  }
  const move = async (wait: BoundedWait): Promise<void> => {
    const moves: Promise<void>[] = [];
    for (const [context, survivors] of byContext(groups)) {
      for (let start = 0; start < survivors.length; start += MOST_MOVED) {
        moves.push(bindAnew(context, survivors.slice(start, start + MOST_MOVED), wait));
      }
    }
    await Promise.all(moves);
  };
  const timeoutMs = groups[0]?.ledger.services.dispatcher.releaseTimeoutMs ?? 0;
  const isAnswered = await settledUnattended(move, timeoutMs);
  for (const group of groups) {
    group.ledger.setStage(group, 'closed');
    if (group.live > 0) {
      group.failedMoves += isAnswered ? 1 : MOST_MOVES_TRIED; // A page that hangs is not asked again.
      // The others keep the group, and the group would keep the old ids of those that have moved.
      for (const [record, objectId] of formerIds.get(group) ?? []) {
        if (record.objectId !== objectId) releaseLeftover(group, objectId);
      }
    }
    group.ledger.touch(group);
  }
}

function releaseLeftover({ ledger }: Group, objectId: string): void {
  ledger.services.dispatcher.enqueue(ledger.queue, new PlainRelease('Runtime.releaseObject', { objectId }));
}

function withId(record: Handle): readonly [record: Handle, objectId: string] {
  return [record, record.objectId];
}

function byContext(groups: readonly Group[]): Map<Context, Handle[]> {
  const survivors = new Map<Context, Handle[]>();
  for (const record of groups.flatMap(survivorsOf)) {
    const { context } = record;
    const list = context && survivors.get(context);
    if (list !== undefined) list.push(record);
    else if (context !== undefined) survivors.set(context, [record]);
  }
  return survivors;
}

function survivorsOf(group: Group): Handle[] {
  const survivors: Handle[] = [];
  for (const member of group.members) {
    if (survivors.length === group.live) break;
    if (member.group === group && member.state === 'live') survivors.push(member);
  }
  return survivors;
}

/**
 * Without a prototype: `getProperties` would bind an id for it, which nobody would release. Nothing in it can be led astray
 * by what the page did to its built-ins. Named as Puppeteer names its own, which Puppeteer's coverage leaves out; the
 * browser puts a parenthesis behind it, hence the last line break.
 */
export const LISTING_SURVIVORS =
  'function(...survivors) { return { __proto__: null, ...survivors }; }\n//# sourceURL=pptr:internal\n';

const PASSING_ON = 'function(survivor) { return survivor; }\n//# sourceURL=pptr:internal\n';

/** The new ids of survivors, and the id of the list by which they were bound, if there is one. */
interface Bound {
  readonly newIds: readonly (string | undefined)[];
  readonly listId?: string;
}

/** Binds survivors in a new group. @returns `undefined` if the attempt was given up meanwhile. */
async function bind(
  { ledger, executionContextId }: Context,
  survivors: readonly Handle[],
  objectGroup: string,
  isGivenUp: () => boolean,
): Promise<Bound | undefined> {
  const { queue, services } = ledger;
  const call = async (functionDeclaration: string, named: readonly Handle[]): Promise<string | undefined> => {
    countCommands(services.stats, 1);
    const answer = (await queue.ask('Runtime.callFunctionOn', {
      functionDeclaration,
      executionContextId,
      arguments: named.map(({ objectId }) => ({ objectId })),
      objectGroup,
      silent: true,
    })) as { result?: RemoteObject } | undefined;
    return answer?.result?.objectId;
  };
  if (isBoundSingly(survivors.length, queue.roundTripMs)) {
    const newIds = await Promise.all(survivors.map((survivor) => call(PASSING_ON, [survivor])));
    return isGivenUp() ? undefined : { newIds };
  }
  const listId = await call(LISTING_SURVIVORS, survivors);
  if (listId === undefined || isGivenUp()) return undefined;
  countCommands(services.stats, 1);
  const listed = await queue.ask('Runtime.getProperties', { objectId: listId, ownProperties: true });
  if (isGivenUp()) return undefined;
  const newIds = elementIds(listed);
  return { newIds: survivors.map((_, index) => newIds.get(String(index))), listId };
}

async function bindAnew(context: Context, survivors: readonly Handle[], wait: BoundedWait): Promise<void> {
  const { ledger } = context;
  const { queue } = ledger;
  const target = ledger.createGroup();
  ledger.setStage(target, 'closed');
  target.pending = 1;
  try {
    const isGivenUp = (): boolean => wait.isOver && !ledger.isAbandoned;
    const bound = await bind(context, survivors, target.name, isGivenUp);
    if (bound === undefined) return;
    // Nothing is awaited while the survivors get their new ids: so no command can be sent between two of them.
    // Leftovers are to be released: the list, which would keep all survivors alive in the page, and the new ids of survivors that
    // died meanwhile.
    const leftovers = bound.listId === undefined ? [] : [bound.listId];
    survivors.forEach((record, index) => {
      const objectId = bound.newIds[index];
      if (objectId !== undefined && !ledger.rebind(record, objectId, target)) leftovers.push(objectId);
    });
    if (ledger.isAbandoned) {
      // Detached meanwhile: no survivor was moved, and the dispatcher takes no more releases.
      await queue.ask('Runtime.releaseObjectGroup', { objectGroup: target.name });
      return;
    }
    if (target.live === 0) return; // No survivor was moved: the new group is released whole.
    if (leftovers.length >= FEWEST_DEAD && leftovers.length > target.live && !ledger.target.isWatched) {
      // Most died meanwhile: the program is in the middle of disposing of them. The rest is moved once more, and this group is
      // released whole.
      const moved = survivors.filter((record) => record.group === target && record.state === 'live');
      await bindAnew(context, moved, wait);
      if (target.live === 0) return;
    }
    for (const objectId of leftovers) releaseLeftover(target, objectId);
  } catch (reason) {
    ledger.onRefused(context, refusalOf(reason).reach);
  } finally {
    target.pending = 0;
    // Even if no survivor was moved, the group holds the list, or an id that was bound for a survivor that died meanwhile.
    target.releasedSingly++;
    ledger.touch(target);
  }
}

function elementIds(listed: unknown): Map<string, string> {
  const ids = new Map<string, string>();
  const descriptors = (listed as { result?: unknown } | undefined)?.result;
  if (!Array.isArray(descriptors)) return ids;
  for (const descriptor of descriptors as { name?: unknown; value?: RemoteObject }[]) {
    const objectId = descriptor.value?.objectId;
    if (typeof descriptor.name === 'string' && typeof objectId === 'string') {
      ids.set(descriptor.name, objectId);
    }
  }
  return ids;
}
