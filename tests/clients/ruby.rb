# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest's life through ruby-libvirt. Arguments: URI and the file of a domain document. One line for each answer.
require 'libvirt'

uri, file = ARGV
xml = File.read(file)

def say(what, *values)
  puts "#{what}: #{values.map { |value| value.nil? ? 'nil' : value.to_s }.join(' ')}"
end

def refused(what)
  yield
  say(what, 'no error')
rescue Libvirt::Error => error
  say(what, error.class, error.libvirt_code, error.libvirt_component, error.libvirt_message)
end

conn = Libvirt.open(uri)
say('type', conn.type)
say('version', conn.version > 0, conn.libversion)
say('host', conn.hostname)
say('secure', conn.secure?, conn.encrypted?, conn.closed?)
node = conn.node_info
say('node', node.model, node.cpus > 0, node.memory > 0, node.mhz > 0)
say('free', conn.node_free_memory > 0)
say('cpu stats', conn.node_cpu_stats.keys.sort.join(','))
say('memory stats', conn.node_memory_stats.keys.sort.join(','))
say('vcpus', conn.max_vcpus('qemu'))
say('capabilities', conn.capabilities.include?('<host>'))
say('domains', conn.num_of_domains, conn.num_of_defined_domains, conn.list_domains.length, conn.list_defined_domains.length)
refused('unknown') { conn.lookup_domain_by_name('nobody') }
refused('wrong document') { conn.define_domain_xml('<domain/>') }

domain = conn.define_domain_xml(xml)
say('defined', domain.name, domain.uuid, domain.persistent?, domain.active?)
say('listed', conn.list_all_domains.map(&:name).join(','))
say('os', domain.os_type)
say('memory', domain.max_memory)
domain.autostart = true
say('autostart', domain.autostart?)
domain.autostart = false
refused('not running') { domain.suspend }
domain.create
say('state', domain.state.join(','))
info = domain.info
say('info', info.state, info.max_mem, info.memory, info.nr_virt_cpu)
say('live', domain.xml_desc[/<domain type='(\w+)' id='\d+'/, 1])
say('vcpus of it', domain.get_vcpus.map { |vcpu| "#{vcpu.number}=#{vcpu.state}" }.join(','))
say('memory stats of it', domain.memory_stats.length > 0)
say('job', domain.job_info.type)
say('updated', domain.updated?)
domain.suspend
say('paused', domain.state.join(','))
domain.resume
say('running', domain.state.join(','))
refused('twice') { domain.create }
stream = conn.stream
domain.open_console('serial0', stream, 0)
stream.abort
say('console', 'opened')
domain.destroy
say('off', domain.state.join(','))
domain.undefine
say('left', conn.list_all_domains.length)
