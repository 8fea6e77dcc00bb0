// Before `npm publish`: the README's links and its picture are relative, and a package's page finds what they point to by
// the manifest's `repository` alone.
import { readFile } from 'node:fs/promises';

const { repository } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
if (repository === undefined) {
  console.error(
    "package.json has no repository: on the package's page, no link of the README would lead anywhere.",
  );
  process.exitCode = 1;
}
