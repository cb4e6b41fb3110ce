# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest's life through Sys::Virt. Arguments: URI and the file of a domain document. One line for each answer.
use strict;
use warnings;
use Sys::Virt;
use Sys::Virt::Domain;
use Sys::Virt::Stream;

my ($uri, $file) = @ARGV;
open(my $in, '<', $file) or die $!;
my $xml = do { local $/; <$in> };

sub say_that {
    my ($what, @values) = @_;
    print "$what: ", join(' ', map { defined $_ ? $_ : 'undef' } @values), "\n";
}

sub refused {
    my ($what, $call) = @_;
    eval { $call->() };
    my $error = $@;
    say_that($what, ref $error ? ($error->code, $error->domain, $error->message) : ('no error', $error));
}

sub keys_of {
    my ($hash) = @_;
    return sort keys %$hash;
}

my $virt = Sys::Virt->new(uri => $uri);
my @seen;
Sys::Virt::Event::register_default();
$virt->domain_event_register_any(undef, Sys::Virt::Domain::EVENT_ID_LIFECYCLE,
                                 sub { my ($c, $d, $event, $detail) = @_; push @seen, "$event/$detail"; });

say_that('type', $virt->get_type);
say_that('alive', $virt->is_alive, $virt->is_secure, $virt->is_encrypted);
say_that('library', $virt->get_library_version);
say_that('host', $virt->get_hostname);
say_that('node', keys_of($virt->get_node_info));
say_that('cells', scalar($virt->get_node_cells_free_memory(0, 1)) > 0);
say_that('cpu stats', keys_of($virt->get_node_cpu_stats));
say_that('memory stats', keys_of($virt->get_node_memory_stats));
say_that('vcpus', $virt->get_max_vcpus('qemu'));
say_that('capabilities', $virt->get_capabilities =~ /<host>/ ? 'host' : 'none');
say_that('domains', $virt->num_of_domains, $virt->num_of_defined_domains);

refused('unknown', sub { $virt->get_domain_by_name('nobody') });
refused('wrong document', sub { $virt->define_domain('<domain/>') });

my $domain = $virt->define_domain($xml);
say_that('defined', $domain->get_name, $domain->get_uuid_string, $domain->get_id, $domain->is_persistent, $domain->is_active);
say_that('listed', map { $_->get_name } $virt->list_all_domains);
say_that('os', $domain->get_os_type);
say_that('memory', $domain->get_max_memory);
$domain->set_autostart(1);
say_that('autostart', $domain->get_autostart);
$domain->set_autostart(0);
$domain->set_metadata(Sys::Virt::Domain::METADATA_TITLE, 'From Perl', undef, undef, Sys::Virt::Domain::AFFECT_CONFIG);
say_that('title', $domain->get_metadata(Sys::Virt::Domain::METADATA_TITLE, undef, 0));
refused('not running', sub { $domain->suspend });
say_that('started', $domain->create // 'done');
say_that('state', $domain->get_state);
my $info = $domain->get_info;
say_that('info', map { "$_=$info->{$_}" } qw(maxMem memory nrVirtCpu state));
say_that('live', $domain->get_xml_description =~ /<domain type='(\w+)' id='\d+'/);
say_that('vcpu info', map { $_->{number} . '=' . $_->{state} } $domain->get_vcpu_info);
say_that('statistics', keys_of(($virt->get_all_domain_stats(Sys::Virt::Domain::STATS_STATE, [$domain]))[0]->{data}));
$domain->suspend;
say_that('paused', $domain->get_state);
$domain->resume;
say_that('running', $domain->get_state);
refused('twice', sub { $domain->create });
my $stream = $virt->new_stream(Sys::Virt::Stream::NONBLOCK);
$domain->open_console($stream, undef, Sys::Virt::Domain::OPEN_CONSOLE_FORCE);
$stream->abort;
say_that('console', 'opened');
$domain->destroy;
say_that('off', $domain->get_state);
$domain->undefine;
say_that('left', map { $_->get_name } $virt->list_all_domains);
Sys::Virt::Event::run_default() until grep { /^1\// } @seen;
say_that('events', @seen);
