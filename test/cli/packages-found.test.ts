// Which Puppeteer the command line drives, where there may be one in the project, one beside this package, or none; and
// which browser goes with it.
import { describe, expect, it } from 'vitest';
import { importPackage, packageVersion } from '../../src/cli/load-package.ts';
import { InstalledCopy } from './installed-copy.ts';

/** The command line says what it takes, and then cannot launch this: it knows no switch of a browser's. */
const NODE = process.execPath;
const NO_BROWSER = { CHROME_PATH: NODE, PUPPETEER_EXECUTABLE_PATH: '' };

describe('Puppeteer is taken', () => {
  it('from beside this package, where the project has none', async () => {
    using copy = new InstalledCopy();
    copy.link('installation', 'puppeteer-core');
    const { exitCode, stderr } = await copy.run(['demo'], { env: NO_BROWSER });
    expect(stderr).toMatch(/^puppeteer-core 25\./);
    expect(stderr).toContain(`${NODE} (CHROME_PATH) could not be launched`);
    expect(exitCode).toBe(2);
  });

  it('from the project, where either has one', async () => {
    using copy = new InstalledCopy();
    copy.link('installation', 'puppeteer-core');
    copy.link('project', 'puppeteer-core', 'puppeteer-core-24');
    const { stderr } = await copy.run(['demo'], { env: NO_BROWSER });
    expect(stderr).toMatch(/^puppeteer-core 24\./);
  });

  it('with the browser that it downloaded', async () => {
    using copy = new InstalledCopy();
    copy.link('project', 'puppeteer-core');
    copy.make('project', 'puppeteer', `{ executablePath: () => ${JSON.stringify(NODE)} }`);
    const env = { PATH: '', CHROME_PATH: '', PUPPETEER_EXECUTABLE_PATH: '' };
    const { stderr } = await copy.run(['demo'], { env });
    expect(stderr).toContain(`puppeteer 1.2.3 on ${NODE} (installed)\n`);
  });

  it('without a browser of its own, where it throws for that', async () => {
    using copy = new InstalledCopy();
    copy.make('project', 'puppeteer', `{ executablePath() { throw new Error('none'); } }`);
    const { exitCode, stderr } = await copy.run(['demo'], { env: NO_BROWSER });
    expect(stderr).toContain(`puppeteer 1.2.3 on ${NODE} (CHROME_PATH)\n`);
    expect(exitCode).toBe(2);
  });
});

it('what is not installed has no version, and cannot be imported', async () => {
  expect(packageVersion('no-such-package')).toBeUndefined();
  await expect(importPackage('no-such-package')).rejects.toThrow('no-such-package is not installed');
});
