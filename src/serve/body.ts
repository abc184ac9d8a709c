/** Reading a request's body within bounds. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

/** Bytes of all bodies that are held at once. */
export class ByteBudget {
  private used = 0;

  constructor(readonly limit: number) {}

  /** @returns false, and takes nothing, when they are not there */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

export interface HeldBody {
  readonly bytes: Buffer;
  /** Gives what was taken of the budget back. */
  release(): void;
}

/**
 * Reads a body. Its announced length is taken of the budget before its first byte is read, so a body that does not fit costs
 * nothing; one sent in chunks pays as it comes.
 * @throws {Refusal} 411 without a length, 413 above `maxBytes`, 503 when the budget is spent
 */
export async function readBody(request: IncomingMessage, maxBytes: number, budget: ByteBudget): Promise<HeldBody> {
  const announced = request.headers['content-length'];
  const length = announced === undefined ? 0 : Number(announced);
  if (announced === undefined && request.headers['transfer-encoding'] === undefined) {
    throw new Refusal(411, 'the request has neither a Content-Length nor chunks');
  }
  if (length > maxBytes) throw tooLarge(maxBytes);
  let held = 0;
  const hold = (bytes: number): void => {
    if (!budget.take(bytes)) throw new Refusal(503, 'too many large requests at once', { 'retry-after': '1' });
    held += bytes;
  };
  const release = (): void => {
    budget.give(held);
    held = 0;
  };
  try {
    hold(length);
    const chunks: Buffer[] = [];
    let size = 0;
    await eachChunk(request, (chunk) => {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      if (size > held) hold(size - held);
      chunks.push(chunk);
    });
    return { bytes: Buffer.concat(chunks), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Unlike `for await`, leaves the request open when `take` throws: its sender still has to be answered. */
function eachChunk(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      how();
    };
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk);
      } catch (error) {
        request.pause();
        settle(() => reject(error));
      }
    };
    const onEnd = (): void => settle(resolve);
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error('the client left')));
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `the body is larger than ${maxBytes} bytes; send fewer queries at once`);
}
