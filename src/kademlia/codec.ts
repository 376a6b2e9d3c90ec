/**
 * Frames: CBOR arrays by position, `[kind, …]`. Everything from outside is bounded and checked here; what comes out is typed, owns its bytes
 * and may still be a lie. Unknown trailing elements are ignored, so that later builds can add some. Not here: the length prefix, streams.
 * Golden vectors: test/fixtures/frames.json.
 */
import { CborArray, DEFAULT_NETWORK_CONSTANTS } from '../records/index.ts';
import { type DecodedHello, helloFromFields } from './hello-codec.ts';
import { type DecodedRequest, requestFromFields } from './request-codec.ts';
import { CONTACT_ADDRESSES, type DecodedResponse, namesContacts, responseFromFields } from './response-codec.ts';
import {
  invalid,
  isNatural,
  KIND_HELLO,
  KIND_REQUEST,
  KIND_RESPONSE,
  MAX_FRAME_BYTES,
  MAX_REQUEST_ID,
  type WireLimits,
} from './wire-format.ts';

export type DecodedFrame = DecodedHello | DecodedRequest | DecodedResponse;

/** Never throws. `invalid` means the peer breaks the protocol: count the reason and close its stream. */
export function decodeFrame(bytes: Uint8Array, limits: WireLimits = DEFAULT_NETWORK_CONSTANTS): DecodedFrame {
  if (bytes.length > MAX_FRAME_BYTES) return invalid('frame too large');
  const frame = CborArray.parse(bytes);
  if (frame === undefined) return invalid('not a frame');
  const [kind, requestId, type] = [frame.next(), frame.next(), frame.next()];
  // Contact lists are most of what is decoded, and are compared with what is known: they stay as they came.
  const fields = frame.toArray(kind === KIND_RESPONSE && namesContacts(type) ? CONTACT_ADDRESSES : undefined);
  if (kind === KIND_HELLO) return helloFromFields(fields);
  if (kind !== KIND_REQUEST && kind !== KIND_RESPONSE) return invalid('frame kind');
  if (!isNatural(requestId) || requestId > MAX_REQUEST_ID) return invalid('request id');
  if (!isNatural(type)) return invalid('message type');
  return kind === KIND_REQUEST
    ? requestFromFields(requestId, type, fields, limits)
    : responseFromFields(requestId, type, fields, limits);
}
