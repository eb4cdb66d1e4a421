/**
 * Loaded before Portkey's gateway by `--import`: it offers no way to choose the host, would listen
 * on every interface, and does not tell its port. This keeps it on the loopback, tells the
 * benchmark where it listens, and ends it when the benchmark is gone.
 */
import { Server } from 'node:net';

const listen = Server.prototype.listen;

Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  const listener = rest.find((argument) => typeof argument === 'function');
  this.once('listening', () => process.send?.({ port: this.address().port }));
  return listen.call(this, port, '127.0.0.1', listener);
};

process.on('disconnect', () => process.exit(0));
