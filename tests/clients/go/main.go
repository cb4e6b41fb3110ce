// SPDX-License-Identifier: LGPL-2.1-or-later

// A guest's life through libvirt-go. Arguments: URI and the file of a domain document. One line for each answer.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	libvirt "github.com/libvirt/libvirt-go"
)

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func refused(what string, err error) {
	if e, ok := err.(libvirt.Error); ok {
		fmt.Println(what+":", e.Code, e.Domain, e.Message)
	} else {
		fmt.Println(what+":", "no error", err)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	must(err)
	conn, err := libvirt.NewConnect(os.Args[1])
	must(err)
	kind, err := conn.GetType()
	must(err)
	host, err := conn.GetHostname()
	must(err)
	fmt.Println("type:", kind, host)
	alive, err := conn.IsAlive()
	must(err)
	fmt.Println("alive:", alive)
	node, err := conn.GetNodeInfo()
	must(err)
	fmt.Println("node:", node.Model, node.Cpus > 0, node.Memory > 0)
	most, err := conn.GetMaxVcpus("qemu")
	must(err)
	fmt.Println("vcpus:", most)
	_, err = conn.LookupDomainByName("nobody")
	refused("unknown", err)
	_, err = conn.DomainDefineXML("<domain/>")
	refused("wrong document", err)

	domain, err := conn.DomainDefineXML(string(text))
	must(err)
	name, err := domain.GetName()
	must(err)
	uuid, err := domain.GetUUIDString()
	must(err)
	fmt.Println("defined:", name, uuid)
	all, err := conn.ListAllDomains(libvirt.CONNECT_LIST_DOMAINS_INACTIVE)
	must(err)
	fmt.Println("inactive:", len(all))
	refused("not running", domain.Suspend())
	must(domain.SetAutostart(true))
	autostart, err := domain.GetAutostart()
	must(err)
	fmt.Println("autostart:", autostart)
	must(domain.SetAutostart(false))
	must(domain.SetMetadata(libvirt.DOMAIN_METADATA_ELEMENT, "<of>go</of>", "of", "urn:duovirt:go", libvirt.DOMAIN_AFFECT_CONFIG))
	kept, err := domain.GetMetadata(libvirt.DOMAIN_METADATA_ELEMENT, "urn:duovirt:go", libvirt.DOMAIN_AFFECT_CONFIG)
	must(err)
	fmt.Println("metadata:", strings.Join(strings.Fields(kept), " "))
	must(domain.Create())
	state, reason, err := domain.GetState()
	must(err)
	fmt.Println("state:", state, reason)
	info, err := domain.GetInfo()
	must(err)
	fmt.Println("info:", info.State, info.MaxMem, info.Memory, info.NrVirtCpu)
	stats, err := conn.GetAllDomainStats([]*libvirt.Domain{domain}, libvirt.DOMAIN_STATS_STATE|libvirt.DOMAIN_STATS_VCPU|libvirt.DOMAIN_STATS_BALLOON, 0)
	must(err)
	fmt.Println("statistics:", len(stats), stats[0].State.State, len(stats[0].Vcpu), stats[0].Balloon.Current)
	cpus, err := domain.GetVcpus()
	must(err)
	fmt.Println("vcpus of it:", len(cpus), cpus[0].State)
	memory, err := domain.MemoryStats(20, 0)
	must(err)
	tags := []int{}
	for _, one := range memory {
		tags = append(tags, int(one.Tag))
	}
	sort.Ints(tags)
	fmt.Println("memory:", tags)
	must(domain.Suspend())
	state, reason, err = domain.GetState()
	must(err)
	fmt.Println("paused:", state, reason)
	must(domain.Resume())
	refused("twice", domain.Create())
	stream, err := conn.NewStream(libvirt.STREAM_NONBLOCK)
	must(err)
	must(domain.OpenConsole("", stream, libvirt.DOMAIN_CONSOLE_FORCE))
	must(stream.Abort())
	fmt.Println("console: opened")
	must(domain.Destroy())
	state, reason, err = domain.GetState()
	must(err)
	fmt.Println("off:", state, reason)
	must(domain.Undefine())
	all, err = conn.ListAllDomains(0)
	must(err)
	fmt.Println("left:", len(all))
}
