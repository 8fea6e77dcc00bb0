// The library with one of its protections taken out, each by its name: torture has to find out that it is missing.
import { CollectionWatch } from '../../../build/handles/ledger/collection-watch.js';
import { ObjectGroup } from '../../../build/handles/ledger/handle-record.js';
import { SessionReleases } from '../../../build/handles/ledger/session-releases.js';

const defineIsDead = (get) => Object.defineProperty(ObjectGroup.prototype, 'isDead', { get });

export const WITHOUT = {
  'a pin on what a command names': () => {
    SessionReleases.prototype.pin = () => {};
    SessionReleases.prototype.unpin = () => {};
  },
  'a look at members that live': () => {
    defineIsDead(function () {
      return this.live <= 2 && this.pinned === 0 && this.pending === 0;
    });
  },
  'the very object that a handle holds': () => {
    const { register } = CollectionWatch.prototype;
    CollectionWatch.prototype.register = function (remoteObject, ...rest) {
      register.call(this, { ...remoteObject }, ...rest);
    };
  },
};
