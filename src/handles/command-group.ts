/**
 * Which object group a command's results will be in, and the parameters that make it so. What is the user's
 * stays the user's: a group that he asked for, and what his objects pass on to their children.
 */
import type { HandleScope } from './handle-scope.ts';
import type { ObjectGroup } from './ledger/handle-record.ts';
import type { SessionLedger } from './ledger/session-ledger.ts';
import { type CommandShape, type Params, withTranslatedIds } from './protocol.ts';

/** The group asked for, the one inherited, the scope's, or the current generation; `undefined` where it cannot be told. */
export function groupOf(
  ledger: SessionLedger,
  shape: CommandShape,
  params: Params | undefined,
  scope: HandleScope | undefined,
): ObjectGroup | undefined {
  if (shape.mints.length === 0) return undefined;
  const asked = params?.objectGroup;
  if (shape.takesGroup && asked !== undefined && asked !== '') {
    return typeof asked === 'string' ? ledger.foreignGroups.named(asked) : undefined;
  }
  const target = shape.inheritsGroup && asked !== '' ? targetOf(params) : undefined;
  if (target !== undefined) {
    // Results of the user's own stay in his group; so do those of an object that the ledger does not know.
    const inherited = ledger.find(target)?.group;
    if (!shape.takesGroup || inherited === undefined || inherited.owner === 'foreign') return inherited;
  }
  if (!shape.takesGroup || !ledger.services.usesGroups) return undefined;
  return scope?.groupFor(ledger) ?? ledger.generations.current();
}

/** What is sent in place of `params`: a group of ours is named, and objects that were moved by the ids that they have. */
export function outgoingParams(
  ledger: SessionLedger,
  shape: CommandShape,
  params: Params | undefined,
  group: ObjectGroup | undefined,
): Params | undefined {
  let outgoing = params;
  if (ledger.hasFormerIds && outgoing !== undefined) {
    outgoing = withTranslatedIds(outgoing, shape.names, (id) => ledger.currentId(id));
  }
  if (group?.owner !== 'own' || !shape.takesGroup) return outgoing;
  // Not `{ ...outgoing, objectGroup }`: V8 takes ten times as long for it. And the group comes last, for where an error of
  // the browser's points to is counted from the front.
  const { ...stamped }: Params = outgoing ?? {};
  stamped.objectGroup = group.name;
  return stamped;
}

/** The object that a command is about, where it is about one, rather than about a context. */
function targetOf(params: Params | undefined): string | undefined {
  const id = params?.objectId ?? params?.promiseObjectId;
  return typeof id === 'string' || id instanceof String ? id.toString() : undefined;
}
