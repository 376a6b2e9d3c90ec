/** A logger that drops everything. libp2p scopes a logger per connection and stream; what operators need is told through the Observer port. */
import type { ComponentLogger, Logger } from '@libp2p/interface';

const ignore = () => undefined;
const logger: Logger = Object.assign(ignore, {
  error: ignore,
  trace: ignore,
  enabled: false,
  newScope: () => logger,
});

export const silentLogger: ComponentLogger = { forComponent: () => logger };
