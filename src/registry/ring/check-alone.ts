/** A storage that is used alone must not be one of several: what the others keep would be missing, and nobody would notice. */
import { misconfigured } from '../misconfigured.ts';
import type { RegistryStorage } from '../storage.ts';
import { DOCUMENT_KEY } from './hint.ts';
import { decodeDocument, isDrained } from './ring-document.ts';

/** @throws NautilusError `CONFIG_INVALID`, naming the others */
export async function checkAlone(storage: RegistryStorage, name: string): Promise<void> {
  const entry = await storage.retrieve(DOCUMENT_KEY);
  if (entry === undefined) return;
  const document = decodeDocument(name, entry);
  const others = document.members.filter(
    (member) => member.name !== name && member.isLasting && !isDrained(document, member),
  );
  if (others.length === 0) return;
  const names = others.map((member) => member.name).join(', ');
  throw misconfigured(
    `${name} is one of a ring with ${names}: give --storage for each, and drain those that are to go ("nautilus storage drain"); or empty it, if what it has is in use no more`,
  );
}
