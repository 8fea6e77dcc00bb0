// Written by scripts/generate-protocol.mjs from devtools-protocol 0.0.1734725. Do not edit: run `npm run generate`.

/** `a[].b` reads: in the array `a`, of each element, the member `b`. */
export interface CommandDescription {
  /** Where the result carries remote objects. */
  readonly mints: readonly string[];
  /** Where the parameters name one by its id. */
  readonly names: readonly string[];
  /** Whether the parameters may carry an `objectGroup`. */
  readonly takesGroup: boolean;
}

export const COMMANDS: Readonly<Record<string, CommandDescription>> = {
  'Accessibility.getAXNodeAndAncestors': { mints: [], names: ['objectId'], takesGroup: false },
  'Accessibility.getPartialAXTree': { mints: [], names: ['objectId'], takesGroup: false },
  'Accessibility.queryAXTree': { mints: [], names: ['objectId'], takesGroup: false },
  'Animation.resolveAnimation': { mints: ['remoteObject'], names: [], takesGroup: false },
  'DOM.describeNode': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.focus': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.getBoxModel': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.getContentQuads': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.getFileInfo': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.getOuterHTML': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.requestNode': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.resolveNode': { mints: ['object'], names: [], takesGroup: true },
  'DOM.scrollIntoViewIfNeeded': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.setFileInputFiles': { mints: [], names: ['objectId'], takesGroup: false },
  'DOM.setTextMarker': { mints: [], names: ['objectId'], takesGroup: false },
  'DOMDebugger.getEventListeners': { mints: ['listeners[].handler', 'listeners[].originalHandler'], names: ['objectId'], takesGroup: false },
  'DOMSnapshot.getSnapshot': { mints: ['domNodes[].eventListeners[].handler', 'domNodes[].eventListeners[].originalHandler'], names: [], takesGroup: false },
  'Debugger.evaluateOnCallFrame': { mints: ['result', 'exceptionDetails.exception'], names: [], takesGroup: true },
  'Debugger.restartFrame': { mints: ['callFrames[].scopeChain[].object', 'callFrames[].this', 'callFrames[].returnValue'], names: [], takesGroup: false },
  'Debugger.setBreakpointOnFunctionCall': { mints: [], names: ['objectId'], takesGroup: false },
  'Debugger.setReturnValue': { mints: [], names: ['newValue.objectId'], takesGroup: false },
  'Debugger.setScriptSource': { mints: ['callFrames[].scopeChain[].object', 'callFrames[].this', 'callFrames[].returnValue', 'exceptionDetails.exception'], names: [], takesGroup: false },
  'Debugger.setVariableValue': { mints: [], names: ['newValue.objectId'], takesGroup: false },
  'HeapProfiler.getHeapObjectId': { mints: [], names: ['objectId'], takesGroup: false },
  'HeapProfiler.getObjectByHeapObjectId': { mints: ['result'], names: [], takesGroup: true },
  'IO.resolveBlob': { mints: [], names: ['objectId'], takesGroup: false },
  'IndexedDB.requestData': { mints: ['objectStoreDataEntries[].key', 'objectStoreDataEntries[].primaryKey', 'objectStoreDataEntries[].value'], names: [], takesGroup: false },
  'Overlay.highlightNode': { mints: [], names: ['objectId'], takesGroup: false },
  'Overlay.highlightSourceOrder': { mints: [], names: ['objectId'], takesGroup: false },
  'Runtime.awaitPromise': { mints: ['result', 'exceptionDetails.exception'], names: ['promiseObjectId'], takesGroup: false },
  'Runtime.callFunctionOn': { mints: ['result', 'exceptionDetails.exception'], names: ['objectId', 'arguments[].objectId'], takesGroup: true },
  'Runtime.compileScript': { mints: ['exceptionDetails.exception'], names: [], takesGroup: false },
  'Runtime.evaluate': { mints: ['result', 'exceptionDetails.exception'], names: [], takesGroup: true },
  'Runtime.getExceptionDetails': { mints: ['exceptionDetails.exception'], names: ['errorObjectId'], takesGroup: false },
  'Runtime.getProperties': { mints: ['result[].value', 'result[].get', 'result[].set', 'result[].symbol', 'internalProperties[].value', 'privateProperties[].value', 'privateProperties[].get', 'privateProperties[].set', 'exceptionDetails.exception'], names: ['objectId'], takesGroup: false },
  'Runtime.queryObjects': { mints: ['objects'], names: ['prototypeObjectId'], takesGroup: true },
  'Runtime.releaseObject': { mints: [], names: ['objectId'], takesGroup: false },
  'Runtime.runScript': { mints: ['result', 'exceptionDetails.exception'], names: [], takesGroup: true },
};

/** Commands that neither name remote objects nor bring some. Of all such commands only these: a script sends thousands of them. */
export const INPUTS: readonly string[] = [
  'Input.cancelDragging',
  'Input.dispatchDragEvent',
  'Input.dispatchKeyEvent',
  'Input.dispatchMouseEvent',
  'Input.dispatchTouchEvent',
  'Input.emulateTouchFromMouseEvent',
  'Input.imeSetComposition',
  'Input.insertText',
  'Input.setIgnoreInputEvents',
  'Input.setInterceptDrags',
  'Input.synthesizePinchGesture',
  'Input.synthesizeScrollGesture',
  'Input.synthesizeTapGesture',
];

/** Where each event carries remote objects. */
export const EVENTS: Readonly<Record<string, readonly string[]>> = {
  'Debugger.paused': ['callFrames[].scopeChain[].object', 'callFrames[].this', 'callFrames[].returnValue'],
  'Log.entryAdded': ['entry.args[]'],
  'Runtime.consoleAPICalled': ['args[]'],
  'Runtime.exceptionThrown': ['exceptionDetails.exception'],
  'Runtime.inspectRequested': ['object'],
  'WebMCP.toolResponded': ['exception'],
};
