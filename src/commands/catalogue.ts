/** Every operation, once. A new one is a file beside this one, a line here and its shapes in command-types.ts. Loads the schema library. */
import type { Command } from './command.ts';
import type { CommandName } from './command-types.ts';
import { deleteCommand } from './delete.ts';
import { get } from './get.ts';
import { getBatch } from './get-batch.ts';
import { id } from './id.ts';
import { list } from './list.ts';
import { lookup } from './lookup.ts';
import { peers } from './peers.ts';
import { ping } from './ping.ts';
import { put } from './put.ts';
import { putBatch } from './put-batch.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { storageDrain } from './storage-drain.ts';
import { storageMigrate } from './storage-migrate.ts';
import { storageStatus } from './storage-status.ts';

export const COMMANDS = {
  put,
  'put-batch': putBatch,
  get,
  'get-batch': getBatch,
  delete: deleteCommand,
  list,
  peers,
  ping,
  lookup,
  status,
  'storage-status': storageStatus,
  'storage-drain': storageDrain,
  'storage-migrate': storageMigrate,
  id,
  stop,
} satisfies { readonly [N in CommandName]: Command<N> };
