/** What the type of a target, by `Target.TargetInfo`, says about its sessions. */

/** Targets that take commands in the order sent. Workers let a release overtake a running call. */
export function takesCommandsInOrder(targetType: string): boolean {
  return (
    targetType === 'page' ||
    targetType === 'iframe' ||
    targetType === 'webview' ||
    targetType === 'background_page'
  );
}
