/**
 * Runs `work` and withholds the deprecation warnings of this code. http-proxy calls util._extend, which nobody who uses
 * it can change. Node warns once a process, at the first call, so it is enough to withhold the warnings during calls
 * into http-proxy. All other warnings are emitted.
 */
export function withoutWarning(code: string, work: () => void): void {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((...warning: Parameters<typeof emitWarning>) => {
    if (!warning.includes(code as never)) emitWarning.apply(process, warning);
  }) as typeof emitWarning;
  try {
    work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
