// An id that says whose it is and which, and carries a checksum of that, so that every character counts.
export function soakedId(name, number) {
  const checksum = (Math.imul(name + 1, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b)) >>> 0;
  return `-${checksum.toString(36)}.${name}.${number}`;
}
