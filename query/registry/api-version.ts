/** `apiVersion` of our own documents. */
export const API_VERSION = 'surety/v1'
