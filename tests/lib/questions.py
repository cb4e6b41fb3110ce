# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh can ask of a domain without changing it, or be refused, for a walk over them: G stands for its name."""
from . import guests

MAC = '52:54:00:11:22:01'
COMMANDS = f"""cpu-stats G --total; desc G; domblkinfo G vda; domblkinfo G --all; domblkinfo G --all --human; domblkinfo G vdz; domblklist G;
domblklist G --details --inactive; domblkstat G; domblkstat G vda; domblkstat G vda --human; domblkstat G vdz; domcontrol G; domdisplay G; domdisplay G --all;
domdisplay G --include-password; domdisplay G --type spice; domfsinfo G; domhostname G; domid G; domif-getlink G {MAC}; domif-getlink G {MAC} --config;
domif-getlink G vnetX; domiftune G {MAC}; domiftune G {MAC} --config; domiftune G vnetX; domifaddr G; domifaddr G --source agent; domifaddr G --source nonsense; domiflist G; domiflist G --inactive; domifstat G {MAC};
domifstat G nonsense; dominfo G; domjobinfo G; domjobinfo G --completed; domlaunchsecinfo G; dommemstat G; domname G; dompmwakeup G; domstate G --reason;
domstats G --block --interface; domstats G --raw --state --balloon; domstats G --nowait --vcpu; domtime G; domuuid G; domxml-to-native nonsense --domain G;
dumpxml G --xpath //name; dumpxml G --xpath //vcpu --wrap; dumpxml G --xpath //nobody; emulatorpin G; emulatorpin G --config; get-user-sshkeys G root; guestinfo G;
guestvcpus G; guest-agent-timeout G 5; iothreadinfo G; iothreadinfo G --config; managedsave-dumpxml G; managedsave-remove G; memtune G --config; metadata G urn:x;
numatune G; numatune G --config; perf G; perf G --config; blkiotune G --config; domblkerror G; domblkthreshold G vda 4096; domblkthreshold G vdz 1;
domblkthreshold G vda[9] 1; blkdeviotune G vda; blkdeviotune G vda --config; blkdeviotune G vdz; blkdeviotune G vda --total-bytes-sec 1000 --read-bytes-sec 5;
blockresize G vdz 1M; screenshot G /tmp/.world/shot; screenshot G /tmp/.world/shot --screen 3;
set-user-password G root x; ttyconsole G; vcpucount G; vcpucount G --live --current; vcpucount G --maximum --config; vcpucount G --guest; vcpuinfo G;
vcpuinfo G --pretty; vcpupin G; vcpupin G --config; vncdisplay G; send-key G KEY_A; send-key G 99999; send-process-signal G 1 1; inject-nmi G;
qemu-monitor-command G --hmp info status; qemu-monitor-command G nonsense; dominfo G; qemu-agent-command G {{"execute":"guest-ping"}}; domfsfreeze G; domfsthaw G; domfstrim G;
dompmsuspend G mem; domblklist nobody; domrename G G; domstats --state --list-inactive; list --with-managed-save --all; list --autostart --persistent --all;
list --transient --all; list --uuid --name --all; list --table --title --all; list --state-paused --all; list --state-shutoff --all; cpu-models x86_64;
domcapabilities --machine nonsense; cpu-compare /dev/null; save-image-dumpxml /nonexistent; nodesevinfo""".replace('\n', ' ').split('; ')


def guest(name):
    disk = f"<disk type='file'><driver name='qemu' type='raw'/><source file='{guests.image('questions.img')}'/><target dev='vda'/></disk>"
    return guests.tiny(name, devices=disk + f"<interface type='user'><mac address='{MAC}'/><model type='virtio'/></interface>"
                       "<graphics type='vnc' passwd='x'/><serial type='pty'/>")
