import * as sdk from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { isInputRequired, isProtocolError, RpcError } from '../../../src/mcp/sdk-shapes.ts'

describe('what the SDK calls a protocol error', () => {
  const thrown: Record<string, unknown> = {
    ProtocolError: new sdk.ProtocolError(-32603, 'no'),
    'one of a code of its own': sdk.ProtocolError.fromError(-32000, 'no', { why: 'not' }),
    ResourceNotFoundError: new sdk.ResourceNotFoundError('file:///a'),
    UrlElicitationRequiredError: new sdk.UrlElicitationRequiredError([]),
    MissingRequiredClientCapabilityError: new sdk.MissingRequiredClientCapabilityError({
      requiredCapabilities: {},
    }),
    'one of ours': new RpcError(-32602, 'no', { a: 1 }),
  }

  it.each(Object.keys(thrown))('%s is known', name => {
    expect(isProtocolError(thrown[name])).toBe(true)
  })

  const others: Record<string, unknown> = {
    'an error with a number for a code': Object.assign(new Error('no'), { code: 14 }),
    'an abort': new DOMException('no', 'AbortError'),
    'a system error': Object.assign(new Error('no'), { code: 'ENOENT' }),
    'one of the SDK that is none of the protocol': new sdk.SdkError(sdk.SdkErrorCode.NotConnected, 'no'),
    'a plain object': { name: 'ProtocolError', code: -32603, message: 'no' },
    nothing: undefined,
    null: null,
  }

  it.each(Object.keys(others))('%s is none', name => {
    expect(isProtocolError(others[name])).toBe(false)
    expect(others[name] instanceof sdk.ProtocolError).toBe(false)
  })
})

it('asking for input is told from any other result, as the SDK tells it', () => {
  const asking = sdk.inputRequired({ requestState: 'a' })
  for (const result of [asking, {}, [], 'input_required', null, undefined, { resultType: 'complete' }]) {
    expect(isInputRequired(result)).toBe(sdk.isInputRequiredResult(result))
  }
})
