/**
 * Sizes of tests: `npm test` takes the least that fails where what is tested is taken out, `npm run test:long` the whole
 * size, that is promised or that users meet. A file with a whole size is imported by one of the same name in test/long.
 */
export function sized<Size>(least: Size, whole: Size): Size {
  return process.env.TEST_SIZE === 'whole' ? whole : least;
}
