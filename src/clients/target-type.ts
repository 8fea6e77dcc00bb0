/** Tells by a target's type (of `Target.TargetInfo`) how its sessions behave. */

/** Whether targets of a type take commands in the order sent. Workers do not: a release may overtake a running call there. */
export function takesCommandsInOrder(targetType: string): boolean {
  return (
    targetType === 'page' ||
    targetType === 'iframe' ||
    targetType === 'webview' ||
    targetType === 'background_page'
  );
}
