# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finding domains: every list, every filter flag, every look-up."""
import itertools
import uuid

from lib.case import Case, guests, libvirt, proves

FILTERS = {  # name of the flag -> who of the population it lets through
    'ACTIVE': {'running', 'paused', 'transient'},
    'INACTIVE': {'off', 'auto', 'saved'},
    'PERSISTENT': {'running', 'paused', 'off', 'auto', 'saved'},
    'TRANSIENT': {'transient'},
    'RUNNING': {'running', 'transient'},
    'PAUSED': {'paused'},
    'SHUTOFF': {'off', 'auto', 'saved'},
    'OTHER': set(),
    'MANAGEDSAVE': {'saved'},
    'NO_MANAGEDSAVE': {'running', 'paused', 'transient', 'off', 'auto'},
    'AUTOSTART': {'auto'},
    'NO_AUTOSTART': {'running', 'paused', 'transient', 'off', 'saved'},
    'HAS_SNAPSHOT': set(),
    'NO_SNAPSHOT': {'running', 'paused', 'transient', 'off', 'auto', 'saved'},
    'HAS_CHECKPOINT': set(),
    'NO_CHECKPOINT': {'running', 'paused', 'transient', 'off', 'auto', 'saved'},
}
GROUPS = [('ACTIVE', 'INACTIVE'), ('PERSISTENT', 'TRANSIENT'), ('RUNNING', 'PAUSED', 'SHUTOFF', 'OTHER'), ('MANAGEDSAVE', 'NO_MANAGEDSAVE'),
          ('AUTOSTART', 'NO_AUTOSTART'), ('HAS_SNAPSHOT', 'NO_SNAPSHOT'), ('HAS_CHECKPOINT', 'NO_CHECKPOINT')]


def flag(name):
    return getattr(libvirt, 'VIR_CONNECT_LIST_DOMAINS_' + name)


def expected(names):
    """Filters of one group add up, groups narrow each other."""
    result = set.union(*FILTERS.values())
    for group in GROUPS:
        chosen = [FILTERS[name] for name in group if name in names]
        if chosen:
            result &= set.union(*chosen)
    return sorted(result)


class Listing(Case):
    def populate(self):
        self.start('running', flags=0)
        self.start('paused')
        self.conn.createXML(guests.tiny('transient'), 0)
        self.define('off')
        self.define('auto').setAutostart(1)
        self.start('saved').managedSave()

    @proves('connect_list_all_domains', 'domain_managed_save', 'domain_set_autostart')
    def test_every_filter_and_pair_of_filters(self):
        self.populate()
        self.assertEqual(self.names(), expected(()))
        for chosen in itertools.chain(itertools.combinations(FILTERS, 1), itertools.combinations(FILTERS, 2)):
            flags = 0
            for name in chosen:
                flags |= flag(name)
            self.assertEqual(self.names(flags), expected(chosen), '|'.join(chosen))
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.listAllDomains, 1 << 20)

    @proves('connect_list_domains', 'connect_num_of_domains', 'connect_list_defined_domains', 'connect_num_of_defined_domains')
    def test_the_old_lists(self):
        self.assertEqual((self.conn.numOfDomains(), self.conn.numOfDefinedDomains()), (0, 0))
        active = self.start('active')
        self.define('off')
        self.assertEqual(self.conn.listDomainsID(), [active.ID()])
        self.assertEqual(self.conn.listDefinedDomains(), ['off'])
        self.assertEqual((self.conn.numOfDomains(), self.conn.numOfDefinedDomains()), (1, 1))

    @proves('domain_lookup_by_name', 'domain_lookup_by_uuid', 'domain_lookup_by_id')
    def test_look_up(self):
        domain = self.start('one')
        wanted = guests.uuid_of('one')
        for found in (self.conn.lookupByName('one'), self.conn.lookupByUUIDString(wanted), self.conn.lookupByUUID(uuid.UUID(wanted).bytes),
                      self.conn.lookupByID(domain.ID())):
            self.assertEqual((found.name(), found.UUIDString(), found.ID()), ('one', wanted, domain.ID()))
        domain.destroy()
        self.assertEqual(self.conn.lookupByName('one').ID(), -1)

    def test_look_up_nobody(self):
        for call, key in ((self.conn.lookupByName, 'nobody'), (self.conn.lookupByName, ''), (self.conn.lookupByName, 'x' * 4000),
                          (self.conn.lookupByUUIDString, guests.uuid_of('nobody')), (self.conn.lookupByID, 4711)):
            error = self.refused(libvirt.VIR_ERR_NO_DOMAIN, call, key)
            self.assertEqual(error.get_error_domain(), libvirt.VIR_FROM_QEMU)

    def test_a_name_of_another_case_is_another_name(self):
        self.define('one')
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, self.conn.lookupByName, 'One')

    def test_names_beyond_ascii(self):
        name = 'größe 中文 & <x>'
        domain = self.conn.defineXML(guests.tiny('@@', uuid=guests.uuid_of(name)).replace('@@', 'größe 中文 &amp; &lt;x&gt;'))
        self.assertEqual(domain.name(), name)
        self.assertEqual(self.conn.lookupByName(name).UUIDString(), domain.UUIDString())
        self.assertEqual(self.names(), [name])
