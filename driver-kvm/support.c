/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this driver gives an effect to, as a table of the document's own elements and attributes. A definition that is
 * about to start is written out and held against it: whatever is set and not listed is refused by name. So a new attribute in
 * the description cannot be dropped in silence; it takes a line here, beside the code that tells QEMU of it.
 *
 * Listing values that are understood (types, models) is not done here: the code that would use them refuses the others.
 */
#include "driver-kvm/support.h"
#include "lib/error.h"
#include <string.h>

/* A path, and what may stand in it: attributes (with @) and elements. An element without a line may hold text alone. A
 * path that begins with "*" stands for any path that ends so. */
static const struct {
    const char *path;
    const char *allowed;
} table[] = {
    {"domain", "@type @id name uuid genid title description metadata maxMemory memory currentMemory memoryBacking memtune blkiotune vcpu vcpus iothreads "
               "iothreadids defaultiothread cputune numatune perf resource seclabel sysinfo idmap os features cpu clock on_poweroff on_reboot on_crash pm keywrap devices commandline override "
               "deprecation"},
    {"domain/keywrap", "cipher"},
    {"domain/keywrap/cipher", "@name @state"},
    {"domain/metadata", "**"},
    {"domain/seclabel", "@type @model @relabel label baselabel imagelabel"},
    {"*/seclabel", "@model @relabel label"},
    {"domain/idmap", "**"}, /* of containers: libvirtd passes it over too, and <backenddomain>, which is Xen's */
    {"domain/maxMemory", "@slots @unit"},
    {"domain/memory", "@unit @dumpCore"},
    {"domain/currentMemory", "@unit"},
    {"domain/memoryBacking", "hugepages nosharepages locked source access allocation discard"},
    {"domain/memoryBacking/hugepages", "page"},
    {"domain/memoryBacking/hugepages/page", "@size @unit @nodeset"},
    {"domain/memoryBacking/source", "@type"},
    {"domain/memoryBacking/access", "@mode"},
    {"domain/memoryBacking/allocation", "@mode @threads"},
    {"domain/memtune", "hard_limit soft_limit swap_hard_limit"},
    {"*/hard_limit", "@unit"},
    {"*/soft_limit", "@unit"},
    {"*/swap_hard_limit", "@unit"},
    {"domain/blkiotune", "weight device"},
    {"domain/blkiotune/device", "path weight read_iops_sec write_iops_sec read_bytes_sec write_bytes_sec"},
    {"domain/cputune", "shares period quota global_period global_quota emulator_period emulator_quota iothread_period "
                       "iothread_quota vcpupin emulatorpin iothreadpin emulatorsched vcpusched iothreadsched"},
    {"domain/cputune/vcpupin", "@vcpu @cpuset"},
    {"domain/cputune/emulatorpin", "@cpuset"},
    {"domain/cputune/iothreadpin", "@iothread @cpuset"},
    {"domain/cputune/emulatorsched", "@scheduler @priority"},
    {"domain/cputune/vcpusched", "@vcpus @scheduler @priority"},
    {"domain/cputune/iothreadsched", "@iothreads @scheduler @priority"},
    {"domain/numatune", "memory memnode"},
    {"domain/numatune/memory", "@mode @nodeset @placement"},
    {"domain/numatune/memnode", "@cellid @mode @nodeset"},
    {"domain/perf", "event"},
    {"domain/perf/event", "@name @enabled"},
    {"domain/vcpu", "@placement @current @cpuset"},
    {"domain/vcpus", "vcpu"},
    {"domain/vcpus/vcpu", "@id @enabled @hotpluggable @order"},
    {"domain/iothreadids", "iothread"},
    {"domain/iothreadids/iothread", "@id @thread_pool_min @thread_pool_max poll"},
    {"*/iothread/poll", "@max @grow @shrink"},
    {"domain/defaultiothread", "@thread_pool_min @thread_pool_max"},
    {"domain/resource", "partition"},
    {"domain/sysinfo", "@type bios system baseBoard chassis oemStrings entry"},
    {"domain/sysinfo/bios", "entry"},
    {"domain/sysinfo/system", "entry"},
    {"domain/sysinfo/baseBoard", "entry"},
    {"domain/sysinfo/chassis", "entry"},
    {"domain/sysinfo/oemStrings", "entry"},
    {"*/entry", "@name @file"},
    {"domain/os", "type firmware loader nvram kernel initrd cmdline shim dtb boot bootmenu smbios bios"},
    {"domain/os/type", "@arch @machine"},
    {"domain/os/firmware", "feature"},
    {"domain/os/firmware/feature", "@enabled @name"},
    {"domain/os/loader", "@type @readonly @secure @stateless @format"},
    {"domain/os/nvram", "@template @type @format @templateFormat source"},
    {"domain/os/nvram/source", "@file"},
    {"domain/os/boot", "@dev"},
    {"domain/os/bootmenu", "@enable @timeout"},
    {"domain/os/smbios", "@mode"},
    {"domain/os/bios", "@useserial @rebootTimeout"},
    {"domain/features", "acpi apic pae hap viridian privnet hyperv kvm pvspinlock pmu vmport smm ioapic tcg vmcoreinfo "
                        "gic hpt htm nested-hv ccf-assist cfpc sbbc ibs ps2 ras"},
    {"domain/features/gic", "@version"},
    {"domain/features/hpt", "@resizing maxpagesize"},
    {"domain/features/hpt/maxpagesize", "@unit"},
    {"domain/features/htm", "@state"},
    {"domain/features/nested-hv", "@state"},
    {"domain/features/ccf-assist", "@state"},
    {"domain/features/cfpc", "@value"},
    {"domain/features/sbbc", "@value"},
    {"domain/features/ibs", "@value"},
    /* hap, viridian and privnet mean something to other hypervisors: libvirtd passes them over, and documents have them */
    {"domain/features/hap", "@state"},
    {"domain/features/apic", "@eoi"},
    {"domain/features/pvspinlock", "@state"},
    {"domain/features/pmu", "@state"},
    {"domain/features/vmport", "@state"},
    {"domain/features/ps2", "@state"},
    {"domain/features/ras", "@state"},
    {"domain/features/vmcoreinfo", "@state"},
    {"domain/features/smm", "@state tseg"},
    {"domain/features/smm/tseg", "@unit"},
    {"domain/features/ioapic", "@driver"},
    {"domain/features/tcg", "tb-cache"},
    {"domain/features/tcg/tb-cache", "@unit"},
    {"domain/features/kvm", "hidden hint-dedicated poll-control pv-ipi dirty-ring"},
    {"domain/features/kvm/hidden", "@state"},
    {"domain/features/kvm/hint-dedicated", "@state"},
    {"domain/features/kvm/poll-control", "@state"},
    {"domain/features/kvm/pv-ipi", "@state"},
    {"domain/features/kvm/dirty-ring", "@state @size"},
    {"domain/features/hyperv", "@mode relaxed vapic spinlocks vpindex runtime synic stimer reset vendor_id frequencies "
                               "reenlightenment tlbflush ipi evmcs avic emsr_bitmap xmm_input"},
    {"domain/features/hyperv/relaxed", "@state"},
    {"domain/features/hyperv/vapic", "@state"},
    {"domain/features/hyperv/spinlocks", "@state @retries"},
    {"domain/features/hyperv/vpindex", "@state"},
    {"domain/features/hyperv/runtime", "@state"},
    {"domain/features/hyperv/synic", "@state"},
    {"domain/features/hyperv/stimer", "@state direct"},
    {"domain/features/hyperv/stimer/direct", "@state"},
    {"domain/features/hyperv/reset", "@state"},
    {"domain/features/hyperv/vendor_id", "@state @value"},
    {"domain/features/hyperv/frequencies", "@state"},
    {"domain/features/hyperv/reenlightenment", "@state"},
    {"domain/features/hyperv/tlbflush", "@state direct extended"},
    {"*/tlbflush/direct", "@state"},
    {"*/tlbflush/extended", "@state"},
    {"domain/features/hyperv/emsr_bitmap", "@state"},
    {"domain/features/hyperv/xmm_input", "@state"},
    {"domain/features/hyperv/ipi", "@state"},
    {"domain/features/hyperv/evmcs", "@state"},
    {"domain/features/hyperv/avic", "@state"},
    {"domain/cpu", "@mode @match @check @migratable model vendor topology cache maxphysaddr feature numa"},
    {"domain/cpu/model", "@fallback @vendor_id"},
    {"domain/cpu/topology", "@sockets @dies @clusters @cores @threads"},
    {"domain/cpu/cache", "@level @mode"},
    {"domain/cpu/maxphysaddr", "@mode @bits @limit"},
    {"domain/cpu/feature", "@policy @name"},
    {"domain/cpu/numa", "cell interconnects"},
    {"domain/cpu/numa/cell", "@id @cpus @memory @unit @memAccess @discard distances cache"},
    {"domain/cpu/numa/cell/cache", "@level @associativity @policy size line"},
    {"domain/cpu/numa/cell/cache/size", "@value @unit"},
    {"*/line", "@value @unit"},
    {"domain/cpu/numa/interconnects", "latency bandwidth"},
    {"*/latency", "@initiator @target @cache @type @value"},
    {"*/bandwidth", "@initiator @target @cache @type @value @unit"},
    {"domain/cpu/numa/cell/distances", "sibling"},
    {"domain/cpu/numa/cell/distances/sibling", "@id @value"},
    {"domain/clock", "@offset @adjustment @basis @timezone @start timer"},
    {"domain/clock/timer", "@name @tickpolicy @track @present @frequency catchup"},
    {"domain/clock/timer/catchup", "@threshold @slew @limit"}, /* QEMU has its own, and libvirtd passes them over */
    {"domain/pm", "suspend-to-mem suspend-to-disk"},
    {"domain/pm/suspend-to-mem", "@enabled"},
    {"domain/pm/suspend-to-disk", "@enabled"},
    {"domain/commandline", "arg env"},
    {"domain/override", "**"},
    {"domain/deprecation", "@behavior"},
    {"domain/commandline/arg", "@value"},
    {"domain/commandline/env", "@name @value"},

    {"domain/devices", "emulator disk controller interface serial parallel console channel input graphics sound audio video "
                       "hub smartcard redirdev redirfilter watchdog memballoon rng panic tpm filesystem vsock shmem iommu "
                       "memory nvram crypto pstore"},
    {"domain/devices/nvram", "alias address"},
    {"*/alias", "@name"},
    {"*/boot", "@order @loadparm"},
    {"*/rom", "@enabled @bar @file"},
    {"*/address", "@type @domain @bus @slot @function @multifunction @controller @target @unit @port @iobase @irq "
                  "@base @reg @cssid @ssid @devno zpci"},
    {"*/zpci", "@uid @fid"},
    {"*/acpi", ""},

    {"domain/devices/disk", "@type @device @model @snapshot driver auth encryption source backingStore geometry blockio target iotune "
                            "readonly shareable serial wwn vendor product boot backenddomain alias address"},
    {"*/backenddomain", "@name"},
    {"domain/devices/disk/driver", "@name @type @cache @error_policy @rerror_policy @io @ioeventfd @event_idx @copy_on_read "
                                   "@discard @iothread @detect_zeroes @queues @queue_size @iommu @ats @packed @page_per_vq @discard_no_unref iothreads"},
    {"domain/devices/disk/driver/iothreads", "iothread"},
    {"*/iothreads/iothread", "@id queue"},
    {"*/iothread/queue", "@id"},
    {"domain/devices/disk/source", "@file @fdgroup @dev @dir @pool @volume @mode @protocol @name @query @tls @tlsHostname @startupPolicy @index host snapshot config ssl "
                                   "cookies readahead timeout identity initiator auth encryption reconnect seclabel"},
    {"*/source/reconnect", "@enabled @timeout @delay"},
    {"*/source/host", "@name @port @transport @socket"},
    {"*/source/snapshot", "@name"},
    {"*/source/config", "@file"},
    {"*/source/ssl", "@verify"},
    {"*/source/readahead", "@size"},
    {"*/source/timeout", "@seconds"},
    {"*/source/identity", "@user @group"},
    {"*/source/initiator", "iqn"},
    {"*/initiator/iqn", "@name"},
    {"*/source/auth", "@username secret"},
    {"*/disk/auth", "@username secret"},
    {"*/auth/secret", "@type @usage @uuid"},
    {"*/disk/encryption", "@format @engine secret"},
    {"*/source/encryption", "@format @engine secret"},
    {"*/encryption/secret", "@type @usage @uuid"},
    {"*/source/cookies", "cookie"},
    {"*/cookies/cookie", "@name"},
    {"*/backingStore", "@type @index format source backingStore"},
    {"*/backingStore/format", "@type"},
    {"*/backingStore/source", "@file @dev @protocol @name @query @tls @tlsHostname @index host snapshot config ssl cookies "
                              "readahead timeout identity initiator auth encryption seclabel"},
    {"domain/devices/disk/geometry", "@cyls @heads @secs @trans"},
    {"domain/devices/disk/blockio", "@logical_block_size @physical_block_size @discard_granularity"},
    {"domain/devices/disk/target", "@dev @bus @tray @removable @rotation_rate @dpofua"},
    {"domain/devices/disk/iotune", "total_bytes_sec read_bytes_sec write_bytes_sec total_iops_sec read_iops_sec "
                                   "write_iops_sec total_bytes_sec_max read_bytes_sec_max write_bytes_sec_max "
                                   "total_iops_sec_max read_iops_sec_max write_iops_sec_max size_iops_sec group_name "
                                   "total_bytes_sec_max_length read_bytes_sec_max_length write_bytes_sec_max_length "
                                   "total_iops_sec_max_length read_iops_sec_max_length write_iops_sec_max_length"},

    {"domain/devices/controller", "@type @index @model @ports @vectors model target driver alias master address pcihole64"},
    {"domain/devices/controller/model", "@name"},
    {"domain/devices/controller/target", "@chassisNr @chassis @port @busNr @index @hotplug @memReserve node"},
    {"domain/devices/controller/driver", "@queues @cmd_per_lun @max_sectors @ioeventfd @iothread @iommu @ats @packed "
                                         "@page_per_vq"},
    {"domain/devices/controller/master", "@startport"},
    {"domain/devices/controller/pcihole64", "@unit"},

    {"domain/devices/interface", "@type mac source target model driver ip tune link mtu boot alias rom backenddomain address"},
    {"domain/devices/interface/mac", "@address @type"},
    {"domain/devices/interface/source", "@bridge @network @portgroup @address @port local"},
    {"*/local", "@address @port"},
    {"domain/devices/interface/target", "@dev @managed"},
    {"domain/devices/interface/model", "@type"},
    {"domain/devices/interface/driver", "@name @txmode @ioeventfd @event_idx @queues @rx_queue_size @tx_queue_size @rss "
                                        "@rss_hash_report @iommu @ats @packed @page_per_vq host guest"},
    {"domain/devices/interface/driver/host", "@csum @gso @tso4 @tso6 @ecn @ufo @mrg_rxbuf"},
    {"domain/devices/interface/driver/guest", "@csum @tso4 @tso6 @ecn @ufo"},
    {"domain/devices/interface/ip", "@address @family @prefix"},
    {"domain/devices/interface/tune", "sndbuf"},
    {"domain/devices/interface/link", "@state"},
    {"domain/devices/interface/mtu", "@size"},

    {"domain/devices/serial", "@type source protocol log target alias address"},
    {"domain/devices/parallel", "@type source protocol log target alias address"},
    {"domain/devices/console", "@type @tty source protocol log target alias address"},
    {"domain/devices/channel", "@type source protocol log target alias address"},
    {"*/target/model", "@name"},
    {"domain/devices/serial/target", "@type @port model"},
    {"domain/devices/parallel/target", "@type @port"},
    {"domain/devices/console/target", "@type @port"},
    {"domain/devices/channel/target", "@type @name @state @address @port"},
    {"*/protocol", "@type"},
    {"*/log", "@file @append"},
    {"*/source", "@mode @path @host @service @append @tls @channel @master @slave clipboard mouse "
                 "reconnect seclabel"}, /* of a character device */
    {"*/reconnect", "@enabled @timeout"},

    {"domain/devices/input", "@type @bus @model driver source alias address"},
    {"domain/devices/input/source", "@evdev @dev @grab @grabToggle @repeat"},
    {"*/driver", "@iommu @ats @packed @page_per_vq"},
    {"domain/devices/graphics", "@type @port @autoport @websocket @listen @socket @keymap @sharePolicy @powerControl @passwd "
                                "@passwdValidTo @connected @tlsPort @defaultMode @display @xauth @fullscreen "
                                "@p2p @address listen audio channel image jpeg zlib playback streaming mouse clipboard "
                                "filetransfer gl"},
    {"*/listen", "@type @address @socket @network"},
    {"domain/devices/graphics/channel", "@name @mode"},
    {"domain/devices/graphics/image", "@compression"},
    {"domain/devices/graphics/jpeg", "@compression"},
    {"domain/devices/graphics/zlib", "@compression"},
    {"domain/devices/graphics/playback", "@compression"},
    {"domain/devices/graphics/streaming", "@mode"},
    {"*/mouse", "@mode"},
    {"*/clipboard", "@copypaste"},
    {"domain/devices/graphics/filetransfer", "@enable"},
    {"domain/devices/graphics/gl", "@enable @rendernode"},
    {"*/audio", "@id"},
    {"domain/devices/sound", "@model @multichannel @streams codec audio driver alias address"},
    {"domain/devices/sound/codec", "@type"},
    {"domain/devices/audio", "@id @type @timerPeriod @serverName @driver @path @tryMMap @exclusive @dspPolicy @runtimeDir input output"},
    {"*/input", "@mixingEngine @fixedSettings @voices @bufferLength @dev @tryPoll @bufferCount @name @streamName @latency "
                "@serverName @clientName @connectPorts @exactName settings"},
    {"*/output", "@mixingEngine @fixedSettings @voices @bufferLength @dev @tryPoll @bufferCount @name @streamName @latency "
                 "@serverName @clientName @connectPorts @exactName settings"},
    {"*/settings", "@frequency @channels @format"},
    {"domain/devices/video", "driver model alias address"},
    {"domain/devices/video/model", "@type @ram @vram @vram64 @vgamem @heads @primary @blob @edid acceleration resolution"},
    {"*/acceleration", "@accel2d @accel3d"},
    {"*/resolution", "@x @y"},
    {"domain/devices/hub", "@type alias address"},
    {"domain/devices/smartcard", "@mode @type source protocol log certificate database alias address"},
    {"domain/devices/redirdev", "@bus @type source protocol log boot alias address"},
    {"domain/devices/redirfilter", "usbdev"},
    {"domain/devices/redirfilter/usbdev", "@class @vendor @product @version @allow"},
    {"domain/devices/watchdog", "@model @action alias address"},
    {"domain/devices/memballoon", "@model @autodeflate @freePageReporting stats driver alias address"},
    {"domain/devices/memballoon/stats", "@period"},
    {"domain/devices/rng", "@model rate backend driver alias address"},
    {"domain/devices/rng/rate", "@bytes @period"},
    {"domain/devices/rng/backend", "@model @type source protocol log"},
    {"domain/devices/tpm", "@model backend alias address"},
    {"domain/devices/tpm/backend", "@type @version @persistent_state device encryption active_pcr_banks source"},
    {"domain/devices/tpm/backend/device", "@path"},
    {"domain/devices/tpm/backend/encryption", "@secret"},
    {"domain/devices/tpm/backend/active_pcr_banks", "sha1 sha256 sha384 sha512"},
    {"domain/devices/tpm/backend/source", "@type @mode @path"},
    {"domain/devices/memory", "@model @access @discard uuid source target alias address"},
    {"domain/devices/memory/source", "nodemask pagesize path alignsize pmem"},
    {"domain/devices/memory/target", "size node label block requested current readonly"},
    {"domain/devices/memory/target/label", "size"},
    {"*/pagesize", "@unit"},
    {"*/alignsize", "@unit"},
    {"*/size", "@unit"},
    {"*/block", "@unit"},
    {"*/requested", "@unit"},
    {"*/current", "@unit"},
    {"domain/devices/filesystem", "@type @accessmode @model @fmode @dmode @multidevs driver binary source target readonly boot "
                                  "alias address"},
    {"domain/devices/filesystem/driver", "@type @wrpolicy @queue @iommu @ats @packed @page_per_vq"},
    {"domain/devices/filesystem/binary", "@path @xattr cache sandbox lock thread_pool openfiles"},
    {"domain/devices/filesystem/binary/cache", "@mode"},
    {"domain/devices/filesystem/binary/openfiles", "@max"},
    {"domain/devices/filesystem/binary/sandbox", "@mode"},
    {"domain/devices/filesystem/binary/lock", "@posix @flock"},
    {"domain/devices/filesystem/binary/thread_pool", "@size"},
    {"domain/devices/filesystem/source", "@dir @socket"},
    {"domain/devices/filesystem/target", "@dir"},
    {"domain/devices/vsock", "@model cid driver alias address"},
    {"domain/devices/vsock/cid", "@auto @address"},
    {"domain/devices/shmem", "@name @role model size server msi alias address"},
    {"domain/devices/shmem/model", "@type"},
    {"domain/devices/shmem/size", "@unit"},
    {"domain/devices/shmem/server", "@path"},
    {"domain/devices/shmem/msi", "@enabled @vectors @ioeventfd"},
    {"domain/devices/panic", "@model alias address"},
    {"domain/devices/iommu", "@model driver alias address"},
    {"domain/devices/iommu/driver", "@intremap @caching_mode @eim @iotlb @aw_bits @dma_translation"},
    {"domain/devices/crypto", "@model @type backend driver alias address"},
    {"domain/devices/crypto/backend", "@model @queues"},
    {"domain/devices/pstore", "@backend path size alias address"},
};

typedef struct {
    GHashTable *rows; /* path -> allowed */
    GError **error;
    GString *path;
} Check;

static const char *allowed_at(const Check *check)
{
    const char *row = g_hash_table_lookup(check->rows, check->path->str);
    const char *slash = check->path->str + check->path->len;

    /* The longest ending that has a line. */
    for (const char *from = check->path->str; !row && from < slash; from++) {
        g_autofree char *ending = *from == '/' ? g_strdup_printf("*%s", from) : NULL;

        row = ending ? g_hash_table_lookup(check->rows, ending) : NULL;
    }
    return row ? row : "";
}

static gboolean listed(const char *list, const char *mark, const char *name)
{
    g_autofree char *wanted = g_strdup_printf("%s%s", mark, name);
    gsize length = strlen(wanted);

    for (const char *at = strstr(list, wanted); at; at = strstr(at + 1, wanted))
        if ((at == list || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
            return TRUE;
    return FALSE;
}

typedef struct {
    const char *allowed;
    char *refused;
} Attributes;

static void check_attribute(const char *name, const char *value, gpointer data)
{
    Attributes *attributes = data;

    if (!attributes->refused && !listed(attributes->allowed, "@", name))
        attributes->refused = g_strdup_printf("%s='%s'", name, value);
}

static gboolean refuse(const Check *check, const char *what)
{
    return error_set(check->error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "%s is not supported by this driver (in <%s>)", what, strrchr(check->path->str, '/')
                                                                               ? strrchr(check->path->str, '/') + 1
                                                                               : check->path->str);
}

static gboolean check_element(Check *check, const XmlNode *node)
{
    const char *allowed = allowed_at(check);
    Attributes attributes = {allowed, NULL};
    gsize length = check->path->len;
    gboolean fine = TRUE;

    if (strcmp(allowed, "**") == 0)
        return TRUE;
    xml_each_attribute(node, check_attribute, &attributes);
    if (attributes.refused) {
        refuse(check, attributes.refused);
        g_free(attributes.refused);
        return FALSE;
    }
    for (const XmlNode *child = xml_first(node); child && fine; child = xml_next(child)) {
        if (!listed(allowed, "", xml_name(child))) {
            g_autofree char *element = g_strdup_printf("<%s>", xml_name(child));

            return refuse(check, element);
        }
        g_string_append_printf(check->path, "/%s", xml_name(child));
        fine = check_element(check, child);
        g_string_truncate(check->path, length);
    }
    return fine;
}

gboolean support_check(const Domain *def, GError **error)
{
    g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) path = g_string_new("domain");
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autoptr(XmlDocument) document = NULL;
    g_autofree char *text = NULL;
    Check check = {rows, error, path};

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        g_hash_table_insert(rows, (gpointer)table[i].path, (gpointer)table[i].allowed);
    model_format(&domain_type, def, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE, writer);
    text = xml_writer_finish(writer);
    document = xml_parse(text, "domain", error);
    return document && check_element(&check, xml_root(document));
}
