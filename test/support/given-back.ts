/** Gives back what an `attach` took, for tests that attach again only to see what they get. */
export function givenBack<Attachment extends { detach(): void }>(attachment: Attachment): Attachment {
  attachment.detach();
  return attachment;
}
