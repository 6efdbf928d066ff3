// How every batch is inserted, on the embedded engine and on a server alike.

// One block per insert (rows and bytes above any batch), so that one token names one block. Settings stick to an embedded
// connection when given per call; inline they hold for one statement.
export const INSERT_SETTINGS = [
  'async_insert=0',
  'deduplicate_blocks_in_dependent_materialized_views=1',
  'max_threads=1',
  'max_insert_threads=1',
  'max_block_size=1000000',
  'min_insert_block_size_rows=4000000',
  'min_insert_block_size_bytes=2000000000',
  'max_partitions_per_insert_block=1000',
  'max_memory_usage=3000000000',
  'max_query_size=1000000',
].join(', ')
