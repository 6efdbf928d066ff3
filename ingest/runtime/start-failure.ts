// What a person is told when a process could not begin.

/** What to tell a person whose start failed; undefined when the failure is ours. */
export function startFailure(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException
  // Errors with a code of ours are sentences for people.
  if (error instanceof Error && code?.startsWith('SURETY_') === true) return error.message
  if (code === 'EADDRINUSE') {
    return `${(error as Error).message}. Another program has the port; stop it or set another one (SURETY_HTTP_PORT, SURETY_OTLP_HTTP_PORT, SURETY_OTLP_GRPC_PORT, SURETY_DEMO_PORT).`
  }
  return undefined
}
