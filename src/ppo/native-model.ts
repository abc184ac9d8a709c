/** The native engine behind the loop's view of an engine. */
import { streamSamples } from '../engine/stream.js';
import type { NativeModel } from '../native.js';
import type { EngineModel } from './engine-port.js';

export function nativeEngineModel(model: NativeModel): EngineModel {
  return {
    generate: (request) => streamSamples(model, request),
    score: (request) => model.score(request),
    accumulate: (batch, loss) => model.accumulate(batch, loss),
    step: (options) => model.step(options),
    abort: () => model.abort(),
    save: (dir) => model.save(dir),
    saveOptimizer: (file) => model.saveOptimizer(file),
    loadOptimizer: (file) => model.loadOptimizer(file),
    close: () => model.close(),
  };
}
