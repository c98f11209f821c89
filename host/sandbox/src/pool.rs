//! Where instances live: in a pool of memories, tables and stacks that is reserved once and used again and again.
//!
//! A pool is address space, not memory: 4 GiB for each linear memory, whatever a guest may use of it. Where so much
//! cannot be reserved (a limit on address space), every instance gets mappings of its own, which is slower and the same in
//! everything else.
//!
//! **Invariant:** nothing that is allowed to run is refused by the pool, and nobody waits for a place in it but other
//! calls: its numbers are those of the limiter, times the calls that run at once. The engine gives a place back with
//! every byte as it was.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limiter::{INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};

// Limit: a quarter of a terabyte of address space; threads of one process gain nothing from more.
pub(crate) const CALLS_AT_ONCE: usize = 4;
// Limit: functions that a module of the largest size can have, times what the host keeps of each. It is only taken when
// it is needed.
const INSTANCE_BYTES_MAX: usize = 64 << 20;
// Limit: what a place may keep in RAM between two calls; a gate touches some hundred KiB.
const KEPT_BYTES: usize = 4 << 20;
// Limit: the components of a loop; together they keep no more than one of them may use by default.
const WARM_PLACES_MAX: u32 = 16;

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// From a pool, where the machine has room for one.
    #[default]
    Pooled,
    /// By mappings of their own.
    OnDemand,
}

/// The engine for `config`, with a pool where there can be one.
///
/// # Errors
/// What the engine does not like about the machine.
pub(crate) fn engine(mut config: Config) -> wasmtime::Result<(Engine, Allocation)> {
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    if let Ok(engine) = Engine::new(&config) {
        return Ok((engine, Allocation::Pooled));
    }
    without_pool(config)
}

/// The engine for `config`, without a pool.
///
/// # Errors
/// What the engine does not like about the machine.
pub(crate) fn without_pool(mut config: Config) -> wasmtime::Result<(Engine, Allocation)> {
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Ok((Engine::new(&config)?, Allocation::OnDemand))
}

fn pool() -> PoolingAllocationConfig {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let total = |number: usize| count(number * CALLS_AT_ONCE);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(total(1))
        .total_stacks(total(1))
        .total_core_instances(total(INSTANCES_MAX))
        .total_memories(total(MEMORIES_MAX))
        .total_tables(total(TABLES_MAX))
        .max_core_instances_per_component(count(INSTANCES_MAX))
        .max_memories_per_component(count(MEMORIES_MAX))
        .max_memories_per_module(count(MEMORIES_MAX))
        .max_tables_per_component(count(TABLES_MAX))
        .max_tables_per_module(count(TABLES_MAX))
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .max_component_instance_size(INSTANCE_BYTES_MAX)
        .max_unused_warm_slots(WARM_PLACES_MAX)
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        // Asks the kernel which pages were touched, and cleans those alone.
        .pagemap_scan(Enabled::Auto);
    pool
}
