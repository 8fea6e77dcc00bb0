// The library with one of its protections taken out, each by its name: torture has to find out that it is missing.
import { CollectionWatch } from '../../../build/handles/collection.js';
import { ObjectGroup } from '../../../build/handles/handle-table.js';
import { SessionLedger } from '../../../build/handles/session-ledger.js';

const defineIsDead = (get) => Object.defineProperty(ObjectGroup.prototype, 'isDead', { get });

export const WITHOUT = {
  'a pin on what a command names': () => {
    SessionLedger.prototype.pin = () => {};
    SessionLedger.prototype.unpin = () => {};
  },
  'a look at members that live': () => {
    defineIsDead(function () {
      return this.live <= 2 && this.pinned === 0 && this.pending === 0;
    });
  },
  'a wait for members that are on their way': () => {
    defineIsDead(function () {
      return this.live === 0 && this.pinned === 0;
    });
  },
  'the very object that a handle holds': () => {
    const { mint } = CollectionWatch.prototype;
    CollectionWatch.prototype.mint = function (ledger, remoteObject, ...rest) {
      return mint.call(this, ledger, { ...remoteObject }, ...rest);
    };
  },
};
