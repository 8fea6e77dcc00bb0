// What a TypeScript user writes compiles, with the types of each client as they are. Checked by `tsc`, run by nobody.
import type { Session } from 'node:inspector';
import type { Session as PromisesSession } from 'node:inspector/promises';
import type { Client } from 'chrome-remote-interface';
import type { Browser, BrowserContext, CDPSession, ElementHandle, JSHandle, Page } from 'playwright-core';
import { describe, expectTypeOf, it } from 'vitest';
import type { attach as attachRemoteInterface } from '../../src/clients/chrome-remote-interface.ts';
import type { attach as attachInspector } from '../../src/clients/node-inspector.ts';
import type { PlaywrightAttachment, PlaywrightSession } from '../../src/clients/playwright/index.ts';
import type { Subject as PlaywrightSubject } from '../../src/clients/playwright/structure.ts';
import type { attach, SessionAttachment } from '../../src/clients/session.ts';
import type { HandleScope } from '../../src/handles/scope.ts';
import type { BareSession } from './bare-connection.ts';

describe('the types of each client', () => {
  it('fit its attach', () => {
    expectTypeOf<CDPSession>().toExtend<PlaywrightSession>();
    expectTypeOf<Browser | BrowserContext | Page>().toExtend<PlaywrightSubject>();
    expectTypeOf<JSHandle | ElementHandle>().toExtend<Parameters<PlaywrightAttachment['escape']>[0]>();
    expectTypeOf<Page>().toExtend<Parameters<PlaywrightAttachment['openScope']>[0]>();
    expectTypeOf<Session | PromisesSession>().toExtend<Parameters<typeof attachInspector>[0]>();
    expectTypeOf<Client>().toExtend<Parameters<typeof attachRemoteInterface>[0]>();
    expectTypeOf<BareSession>().toExtend<Parameters<typeof attach>[0]>();
  });

  it('fit what an attachment is asked', () => {
    expectTypeOf<ReturnType<typeof attach>>().toEqualTypeOf<SessionAttachment>();
    expectTypeOf<ReturnType<SessionAttachment['openScope']>>().toEqualTypeOf<HandleScope>();
    type Escaped = Parameters<SessionAttachment['escape']>[0];
    expectTypeOf<{ type: 'object'; objectId?: string }>().toExtend<Escaped>();
  });
});
