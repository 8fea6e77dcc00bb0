// Where there is no AsyncLocalStorage, a store holds for the call itself, and what was there before comes back however it ends.
import { expect, test } from 'vitest';
import { asyncContext } from '../../src/builtins.ts';

function withoutNodesModules<Result>(work: () => Result): Result {
  const { getBuiltinModule } = process;
  Reflect.set(process, 'getBuiltinModule', () => undefined);
  try {
    return work();
  } finally {
    Reflect.set(process, 'getBuiltinModule', getBuiltinModule);
  }
}

test('calls within calls', async () => {
  const context = withoutNodesModules(() => asyncContext<string>());
  expect(context.getStore()).toBeUndefined();
  const seen = context.run('outer', () => {
    const inner = context.run('inner', () => context.getStore());
    expect(() =>
      context.run('throws', () => {
        throw new Error('out');
      }),
    ).toThrow('out');
    return [inner, context.getStore()];
  });
  expect(seen).toEqual(['inner', 'outer']);
  const later = await context.run('asynchronous', async () => {
    await undefined;
    return context.getStore();
  });
  expect(later).toBeUndefined();
  context.run('ended', () => {
    context.disable();
    expect(context.getStore()).toBeUndefined();
  });
});
