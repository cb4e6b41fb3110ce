/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/registry.h"

#include <string.h>

#include "lib/uuid.h"

#define LEAVING_BUDGET (5 * G_USEC_PER_SEC)

typedef struct {
    Vm *vm; /* owned */
    char *name;
    char *new_name; /* while it is renamed */
    guint claims;   /* being listed counts as one; 0: gone */
    gboolean listed;
    gboolean leaving; /* it was listed, and what is left of its run is being put away */
} Entry;

struct Registry {
    const DriverInstance *instance;
    GMutex lock;
    GCond freed; /* an entry has gone, or is listed again */
    GHashTable *by_uuid; /* Vm.uuid_text -> Entry, owned */
    GHashTable *by_name; /* Entry.name and Entry.new_name -> Entry */
    GHashTable *by_id;   /* int -> Entry */
    int last_id;
    GPtrArray *domains; /* what registry_domains() gave last; NULL: something changed since */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    vm_unref(entry->vm);
    g_free(entry->name);
    g_free(entry->new_name);
    g_free(entry);
}

Registry *registry_new(const DriverInstance *instance)
{
    Registry *registry = g_new0(Registry, 1);
    registry->instance = instance;
    g_mutex_init(&registry->lock);
    g_cond_init(&registry->freed);
    registry->by_uuid = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    registry->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    registry->by_id = g_hash_table_new(NULL, NULL);
    return registry;
}

/* The driver goes next, whoever still holds a Vm. */
static void forget_runs(Registry *registry)
{
    GHashTableIter iter;
    gpointer entry;
    g_hash_table_iter_init(&iter, registry->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        vm_set_private(((Entry *)entry)->vm, NULL, NULL);
}

void registry_free(Registry *registry)
{
    if (!registry)
        return;
    forget_runs(registry);
    g_clear_pointer(&registry->domains, g_ptr_array_unref);
    g_hash_table_unref(registry->by_id);
    g_hash_table_unref(registry->by_name);
    g_hash_table_unref(registry->by_uuid);
    g_cond_clear(&registry->freed);
    g_mutex_clear(&registry->lock);
    g_free(registry);
}

static Vm *listed_vm(Registry *registry, GHashTable *table, gconstpointer key)
{
    g_mutex_lock(&registry->lock);
    Entry *entry = g_hash_table_lookup(table, key);
    Vm *vm = entry && entry->listed ? vm_ref(entry->vm) : NULL;
    g_mutex_unlock(&registry->lock);
    return vm;
}

Vm *registry_find_uuid(Registry *registry, const guint8 uuid[16])
{
    char text[UUID_TEXT];
    uuid_format(uuid, text);
    return listed_vm(registry, registry->by_uuid, text);
}

Vm *registry_find_name(Registry *registry, const char *name)
{
    return listed_vm(registry, registry->by_name, name);
}

Vm *registry_find_id(Registry *registry, int id)
{
    return listed_vm(registry, registry->by_id, GINT_TO_POINTER(id));
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    const Entry *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static GPtrArray *sorted(Registry *registry)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    GHashTableIter iter;
    gpointer entry;
    g_hash_table_iter_init(&iter, registry->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        if (((Entry *)entry)->listed)
            g_ptr_array_add(entries, entry);
    g_ptr_array_sort(entries, compare_names);

    GPtrArray *domains = g_ptr_array_new_full(entries->len, (GDestroyNotify)vm_unref);
    for (guint i = 0; i < entries->len; i++)
        g_ptr_array_add(domains, vm_ref(((Entry *)entries->pdata[i])->vm));
    return domains;
}

GPtrArray *registry_domains(Registry *registry)
{
    g_mutex_lock(&registry->lock);
    if (!registry->domains)
        registry->domains = sorted(registry);
    GPtrArray *domains = g_ptr_array_ref(registry->domains);
    g_mutex_unlock(&registry->lock);
    return domains;
}

static void changed(Registry *registry)
{
    g_clear_pointer(&registry->domains, g_ptr_array_unref);
}

static Entry *entry_of(Registry *registry, Vm *vm)
{
    return g_hash_table_lookup(registry->by_uuid, vm->uuid_text);
}

static void unclaim(Registry *registry, Entry *entry)
{
    if (--entry->claims > 0)
        return;
    g_hash_table_remove(registry->by_name, entry->name);
    g_hash_table_remove(registry->by_uuid, entry->vm->uuid_text);
    g_cond_broadcast(&registry->freed);
}

static Entry *add_locked(Registry *registry, Domain *definition, gboolean persistent)
{
    Entry *entry = g_new0(Entry, 1);
    entry->vm = vm_new(registry->instance, domain_ref(definition), persistent);
    entry->name = g_strdup(definition->name);
    g_hash_table_insert(registry->by_uuid, entry->vm->uuid_text, entry);
    g_hash_table_insert(registry->by_name, entry->name, entry);
    return entry;
}

/* NULL with ERROR: the pair is refused. */
static Entry *claim_locked(Registry *registry, Domain *definition, gboolean persistent, GError **error)
{
    char uuid[UUID_TEXT];
    uuid_format(definition->uuid.bytes, uuid);
    Entry *same = g_hash_table_lookup(registry->by_uuid, uuid);
    Entry *named = g_hash_table_lookup(registry->by_name, definition->name);
    if (same && named != same)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED, "domain '%s' is already defined with uuid %s",
                  same->name, uuid);
    else if (named && !same)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED, "domain '%s' already exists with uuid %s",
                  named->name, named->vm->uuid_text);
    else if (!same && g_hash_table_size(registry->by_uuid) >= REGISTRY_MAX)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_RESOURCE_BUSY, "there are %d domains already", REGISTRY_MAX);
    else
        return same ? same : add_locked(registry, definition, persistent);
    return NULL;
}

/* What DEFINITION would be refused for is about to go. */
static gboolean frees_soon(Registry *registry, const Domain *definition)
{
    char uuid[UUID_TEXT];
    uuid_format(definition->uuid.bytes, uuid);
    const Entry *same = g_hash_table_lookup(registry->by_uuid, uuid);
    const Entry *named = g_hash_table_lookup(registry->by_name, definition->name);
    return same != named && (!same || same->leaving) && (!named || named->leaving);
}

Vm *registry_claim(Registry *registry, Domain *definition, gboolean persistent, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + LEAVING_BUDGET;
    g_mutex_lock(&registry->lock);
    while (frees_soon(registry, definition) && g_cond_wait_until(&registry->freed, &registry->lock, deadline))
        ;
    Entry *entry = claim_locked(registry, definition, persistent, error);
    if (entry)
        entry->claims++;
    Vm *vm = entry ? vm_ref(entry->vm) : NULL;
    g_mutex_unlock(&registry->lock);
    return vm;
}

void registry_hold(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    entry_of(registry, vm)->claims++;
    g_mutex_unlock(&registry->lock);
}

void registry_drop(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    unclaim(registry, entry_of(registry, vm));
    g_mutex_unlock(&registry->lock);
}

void registry_release(Registry *registry, Vm *vm)
{
    registry_drop(registry, vm);
    vm_unref(vm);
}

static void set_removed(Vm *vm, gboolean removed)
{
    g_mutex_lock(&vm->lock);
    vm->removed = removed;
    g_mutex_unlock(&vm->lock);
}

void registry_list(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    Entry *entry = entry_of(registry, vm);
    if (!entry->listed) {
        entry->listed = TRUE;
        entry->leaving = FALSE;
        entry->claims++;
        g_cond_broadcast(&registry->freed);
        set_removed(vm, FALSE);
        changed(registry);
    }
    g_mutex_unlock(&registry->lock);
}

static void remove_locked(Registry *registry, Vm *vm)
{
    Entry *entry = entry_of(registry, vm);
    if (!entry || !entry->listed)
        return;
    entry->listed = FALSE;
    entry->leaving = TRUE;
    set_removed(vm, TRUE);
    changed(registry);
    unclaim(registry, entry);
}

void registry_remove(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    remove_locked(registry, vm);
    g_mutex_unlock(&registry->lock);
}

void registry_remove_transient(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    g_mutex_lock(&vm->lock);
    gboolean transient = !vm->view->next;
    g_mutex_unlock(&vm->lock);
    if (transient)
        remove_locked(registry, vm);
    g_mutex_unlock(&registry->lock);
}

gboolean registry_rename_begin(Registry *registry, Vm *vm, const char *name, GError **error)
{
    g_mutex_lock(&registry->lock);
    Entry *entry = entry_of(registry, vm);
    gboolean free_name = !g_hash_table_contains(registry->by_name, name);
    if (free_name) {
        entry->new_name = g_strdup(name);
        g_hash_table_insert(registry->by_name, entry->new_name, entry);
    }
    g_mutex_unlock(&registry->lock);
    return free_name || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                                  "domain with name '%s' already exists", name);
}

void registry_rename_end(Registry *registry, Vm *vm, gboolean renamed)
{
    g_mutex_lock(&registry->lock);
    Entry *entry = entry_of(registry, vm);
    g_autofree char *dropped = renamed ? entry->name : entry->new_name;
    g_hash_table_remove(registry->by_name, dropped);
    if (renamed)
        entry->name = entry->new_name;
    entry->new_name = NULL;
    changed(registry);
    g_mutex_unlock(&registry->lock);
}

static void put_id(Registry *registry, Vm *vm, int id)
{
    registry->last_id = MAX(registry->last_id, id);
    g_hash_table_insert(registry->by_id, GINT_TO_POINTER(id), entry_of(registry, vm));
}

int registry_take_id(Registry *registry, Vm *vm)
{
    g_mutex_lock(&registry->lock);
    int id = registry->last_id + 1;
    put_id(registry, vm, id);
    g_mutex_unlock(&registry->lock);
    return id;
}

void registry_adopt_id(Registry *registry, Vm *vm, int id)
{
    g_mutex_lock(&registry->lock);
    put_id(registry, vm, id);
    g_mutex_unlock(&registry->lock);
}

void registry_drop_id(Registry *registry, Vm *vm, int id)
{
    g_mutex_lock(&registry->lock);
    Entry *entry = g_hash_table_lookup(registry->by_id, GINT_TO_POINTER(id));
    if (entry && entry->vm == vm)
        g_hash_table_remove(registry->by_id, GINT_TO_POINTER(id));
    g_mutex_unlock(&registry->lock);
}
