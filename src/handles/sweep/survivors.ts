/**
 * A copying collector for remote objects. Where few members of a group live on, they are bound anew in a
 * group of their own, which gives them new ids, and the old group is released whole: four commands instead
 * of one for each of the dead.
 *
 * Nothing is lost if it fails half-way: the old ids are valid until the old group is released, which
 * happens only after each survivor has its new one. Whoever still holds an old id as a string is served
 * by the ledger's former ids.
 */

import { PlainRelease, refusalOf } from '../../batcher/release.ts';
import { settledUnattended } from '../../runtime/event-loop.ts';
import type { ContextRecords, HandleRecord, ObjectGroup } from '../ledger/handle-record.ts';
import type { RemoteObject } from '../protocol.ts';

/** Fewer dead than this are released one by one for the same price. */
const FEWEST_DEAD = 8;
const MOST_MOVED_PER_DEAD = 2;
/** Survivors of one group, and of all that is bound anew by one command; more would be long to wait for. */
const MOST_MOVED = 512;

/**
 * Moving pays while there are not many more alive than dead: to bind one anew takes the browser about a fifth
 * of what the release of one does, and no more than two are moved, on the average, for each that died.
 * Sessions that do not keep order are left alone: a release could overtake the move. So is a target that somebody
 * debugs or profiles: what moves is a script, which would be seen.
 */
export function isWorthMoving(group: ObjectGroup): boolean {
  const { ledger } = group;
  return (
    ledger.services.movesSurvivors &&
    ledger.isOrdered &&
    !ledger.hasEnded &&
    !ledger.isForsaken &&
    !ledger.target.isWatched &&
    !group.isUnmovable &&
    group.pending === 0 &&
    group.pinned === 0 &&
    group.dropped >= FEWEST_DEAD &&
    group.live <= Math.min(MOST_MOVED_PER_DEAD * group.dropped, MOST_MOVED) &&
    survivorsOf(group).every((record) => record.context?.executionContextId !== undefined)
  );
}

/** In commands, of which each costs the browser what the release of one handle does. */
export function costOfMoving(group: ObjectGroup): number {
  return COMMANDS_OF_A_MOVE + group.live * COST_PER_SURVIVOR;
}

/** A call, a listing, the release of the list and that of the group. */
const COMMANDS_OF_A_MOVE = 4;
const COST_PER_SURVIVOR = 0.2;

/** A page that hangs is not waited for longer than for a release; what it answers then moves nobody any more. */
interface Attempt {
  isGivenUp: boolean;
}

/** Moves what lives in these groups, and has each judged anew. Never rejects. */
export async function moveSurvivors(groups: readonly ObjectGroup[]): Promise<void> {
  const formerIds = new Map(groups.map((group) => [group, idsOfSurvivors(group)]));
  for (const group of groups) {
    group.ledger.generations.close(group); // It may still be open: what is minted from now on goes into another.
    group.stage = 'moving';
  }
  const attempt: Attempt = { isGivenUp: false };
  const moves: Promise<void>[] = [];
  for (const [context, survivors] of byContext(groups)) {
    for (let start = 0; start < survivors.length; start += MOST_MOVED) {
      moves.push(bindAnew(context, survivors.slice(start, start + MOST_MOVED), attempt));
    }
  }
  await settledUnattended(
    () => Promise.all(moves).then(() => {}),
    groups[0]?.ledger.services.dispatcher.releaseTimeoutMs ?? 0,
  );
  attempt.isGivenUp = true;
  for (const group of groups) {
    group.stage = 'closed';
    if (group.live > 0) {
      group.isUnmovable = true; // Once is enough to try.
      releaseLeftBehind(group, formerIds.get(group) ?? []);
    }
    group.ledger.touch(group);
  }
}

/** The old ids of those that did move, where the others keep the group: they would outlive their objects. */
function releaseLeftBehind(group: ObjectGroup, survivors: readonly SurvivorId[]): void {
  const { services, queue } = group.ledger;
  for (const [record, objectId] of survivors) {
    if (record.objectId === objectId) continue;
    services.dispatcher.enqueue(queue, new PlainRelease('Runtime.releaseObject', { objectId }));
  }
}

/** A survivor, and the id that it has before it is moved. */
type SurvivorId = readonly [record: HandleRecord, objectId: string];

function idsOfSurvivors(group: ObjectGroup): SurvivorId[] {
  return survivorsOf(group).map((record) => [record, record.objectId]);
}

function byContext(groups: readonly ObjectGroup[]): Map<ContextRecords, HandleRecord[]> {
  const survivors = new Map<ContextRecords, HandleRecord[]>();
  for (const record of groups.flatMap(survivorsOf)) {
    const { context } = record;
    const list = context && survivors.get(context);
    if (list !== undefined) list.push(record);
    else if (context !== undefined) survivors.set(context, [record]);
  }
  return survivors;
}

function survivorsOf(group: ObjectGroup): HandleRecord[] {
  return group.members.filter((member) => member.group === group && member.state === 'live');
}

/**
 * Without a prototype: `getProperties` would bind an id for it, which nobody would release. Nothing in it can
 * be led astray by what the page did to its built-ins. Named as Puppeteer names its own, which Puppeteer's coverage leaves out;
 * the browser puts a parenthesis behind it, hence the last line break.
 */
const LISTING_SURVIVORS =
  'function(...survivors) { return { __proto__: null, ...survivors }; }\n//# sourceURL=pptr:internal\n';

async function bindAnew(
  context: ContextRecords,
  survivors: readonly HandleRecord[],
  attempt: Readonly<Attempt>,
): Promise<void> {
  const { ledger } = context;
  const { services, queue } = ledger;
  const target = ledger.generations.create();
  target.stage = 'closed';
  target.pending = 1;
  try {
    services.stats.commands += 2;
    const bound = (await queue.ask('Runtime.callFunctionOn', {
      functionDeclaration: LISTING_SURVIVORS,
      executionContextId: context.executionContextId,
      arguments: survivors.map(({ objectId }) => ({ objectId })),
      objectGroup: target.name,
      silent: true,
    })) as { result?: RemoteObject } | undefined;
    const listId = bound?.result?.objectId;
    if (listId === undefined || (attempt.isGivenUp && !ledger.isForsaken)) return;
    const listed = await queue.ask('Runtime.getProperties', { objectId: listId, ownProperties: true });
    if (attempt.isGivenUp && !ledger.isForsaken) return;
    const newIds = elementIds(listed);
    // From here to the end in one go: no command can be sent between two survivors.
    // Of no use any more are the list, which would keep in the page whatever dies from now on, and the
    // ids bound for survivors that died meanwhile.
    const leftovers = [listId];
    survivors.forEach((record, index) => {
      const objectId = newIds.get(String(index));
      if (objectId !== undefined && !ledger.rebind(record, objectId, target)) leftovers.push(objectId);
    });
    if (ledger.isForsaken) {
      // Detached meanwhile: nobody moved in, and the dispatcher takes nothing more.
      await queue.ask('Runtime.releaseObjectGroup', { objectGroup: target.name });
      return;
    }
    if (target.live === 0) return; // Nobody moved in: the whole group goes.
    if (leftovers.length >= FEWEST_DEAD && leftovers.length > target.live && !ledger.target.isWatched) {
      // Most died on the way: the program was in the middle of them. The rest moves once more, and these go whole.
      const moved = survivors.filter((record) => record.group === target && record.state === 'live');
      await bindAnew(context, moved, attempt);
      if (target.live === 0) return;
    }
    for (const objectId of leftovers) {
      services.dispatcher.enqueue(queue, new PlainRelease('Runtime.releaseObject', { objectId }));
    }
  } catch (reason) {
    ledger.endings.onRefused(context, refusalOf(reason).reach);
  } finally {
    target.pending = 0;
    // Even where nobody moved in: the list, or what was bound for a survivor that died meanwhile, is there.
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
    if (typeof descriptor.name === 'string' && typeof objectId === 'string')
      ids.set(descriptor.name, objectId);
  }
  return ids;
}
