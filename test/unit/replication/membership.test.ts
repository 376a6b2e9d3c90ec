import { describe, expect, it } from 'vitest';
import { type Contact, commonPrefixLength, createContact, type NodeId } from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../../src/records/index.ts';
import { Membership, type MembershipView } from '../../../src/replication/membership.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const K = 3;
const SUSPICION_MS = 30_000;
const constants = { ...DEFAULT_NETWORK_CONSTANTS, k: K, suspicionTimeMs: SUSPICION_MS };

/** The next contact, of some thousand, whose id shares exactly so many leading bits with `self`. */
function* contactsSharing(self: NodeId, bits: number): Generator<Contact, never, undefined> {
  for (let i = 1; ; i++) {
    const publicKey = new Uint8Array(32);
    new DataView(publicKey.buffer).setUint32(0, i);
    const contact = createContact(publicKey, []);
    if (commonPrefixLength(self, contact.id) === bits) yield contact;
  }
}

function some(self: NodeId, bits: number, count: number): Contact[] {
  const contacts = contactsSharing(self, bits);
  return Array.from({ length: count }, () => contacts.next().value);
}

const self = createContact(new Uint8Array(32), []);

class Surroundings {
  readonly self = self;
  readonly clock = new ManualClock();
  readonly membership: Membership;
  isBootstrapping = false;
  contacts: readonly Contact[] = [];
  depth = 0;
  views: MembershipView[] = [];

  constructor() {
    this.membership = new Membership({ kademlia: this, clock: this.clock, constants }, (view) => this.views.push(view));
  }

  neighbourhood(reach: number): { readonly contacts: readonly Contact[]; readonly depth: number } {
    const { depth } = this;
    const isNamed = ({ id }: Contact) => commonPrefixLength(self.id, id) >= Math.min(depth, reach);
    return { contacts: this.contacts.filter(isNamed), depth };
  }

  /** Who is near is somebody else from now on; time passes until that has been looked at. */
  async become(contacts: readonly Contact[], depth = this.depth): Promise<void> {
    this.contacts = contacts;
    this.depth = depth;
    this.membership.contactsChanged();
    await this.clock.advance(1_000);
  }

  get members(): string[] {
    return [...this.membership.view.shared.keys()].sort();
  }
}

const hexOf = (...contacts: Contact[]) => contacts.map(({ id }) => id.hex).sort();

async function settledIn(contacts: readonly Contact[], depth = 0): Promise<Surroundings> {
  const here = new Surroundings();
  here.membership.start();
  await here.become(contacts, depth);
  await here.clock.advance(10_000);
  expect(here.membership.hasStayed).toBe(true);
  return here;
}

describe('Membership', () => {
  const [a, b, newcomer] = some(self.id, 2, 3) as [Contact, Contact, Contact];

  it('takes everybody for settled in whom a newcomer meets until it has stayed itself', async () => {
    const here = new Surroundings();
    here.membership.start();
    await here.become([a]);
    await here.clock.advance(7_000);
    await here.become([a, b]);
    expect(here.members).toEqual(hexOf(a, b));
    expect(here.membership.hasStayed).toBe(false);
  });

  it('has not stayed before it has joined', async () => {
    const here = new Surroundings();
    here.isBootstrapping = true;
    here.membership.start();
    await here.become([a]);
    await here.clock.advance(60_000);
    expect(here.membership.hasStayed).toBe(false);
    here.isBootstrapping = false;
    await here.clock.advance(1_000);
    expect(here.membership.hasStayed).toBe(true);
  });

  it('counts who comes after ten seconds, and twice as long later when it came and went', async () => {
    const here = await settledIn([a]);
    await here.become([a, newcomer]);
    await here.clock.advance(9_000);
    expect(here.members).toEqual(hexOf(a));
    await here.clock.advance(1_000);
    expect(here.members).toEqual(hexOf(a, newcomer));
    await here.become([a]);
    await here.clock.advance(SUSPICION_MS);
    await here.become([a, newcomer]);
    await here.clock.advance(18_000);
    expect(here.members).toEqual(hexOf(a));
    await here.clock.advance(2_000);
    expect(here.members).toEqual(hexOf(a, newcomer));
  });

  it('counts who is gone until the suspicion time is over', async () => {
    const here = await settledIn([a, b]);
    await here.become([a]);
    await here.clock.advance(SUSPICION_MS - 2_000);
    expect(here.members).toEqual(hexOf(a, b));
    await here.clock.advance(2_000);
    expect(here.members).toEqual(hexOf(a));
  });

  it('counts at once who comes into view because the neighbourhood reaches farther', async () => {
    const near = some(self.id, 1, K - 1);
    const [far] = some(self.id, 0, 1) as [Contact];
    const here = await settledIn(near, 1);
    here.views = [];
    await here.become([...near, far], 0);
    // Never a view in which the far half is empty, and so all ours.
    expect(here.views).toHaveLength(1);
    expect(new Set(here.views[0]!.regions.map(({ members }) => members.length))).toEqual(new Set([K]));
    expect(here.members).toEqual(hexOf(...near, far));
  });

  it('reaches as far as before until those count who fill the neighbourhood nearer by', async () => {
    const near = some(self.id, 1, K);
    const far = some(self.id, 0, 2);
    const before = [near[0]!, ...far];
    const here = await settledIn(before, 0);
    here.views = [];
    await here.become([...near, ...far], 1);
    await here.clock.advance(8_000);
    expect(here.views).toEqual([]);
    // Who goes meanwhile is noticed there, too.
    await here.become([...near, far[0]!], 1);
    await here.clock.advance(2_000);
    expect(here.members).toEqual(hexOf(...near));
    expect(here.views.map(({ isSmall }) => isSmall)).toEqual([false]);
  });

  it('does not hold it against anybody that the neighbourhood reached less far for a while', async () => {
    const near = some(self.id, 1, K);
    const [far] = some(self.id, 0, 1) as [Contact];
    const here = await settledIn([...near, far], 0);
    await here.become(near, 1);
    expect(here.members).not.toContain(far.id.hex);
    await here.become([...near, far], 0);
    expect(here.members).toContain(far.id.hex);
  });
});
