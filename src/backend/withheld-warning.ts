/**
 * http-proxy calls util._extend, which its users cannot mend. Node tells of a deprecation once a process, at the
 * first call, so http-proxy's are all that must be kept from telling; every other deprecation is told.
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
