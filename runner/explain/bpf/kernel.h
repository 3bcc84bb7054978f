// The few declarations that the programs need of the kernel: no vmlinux.h and no
// libbpf, so that clang alone builds them, and no type information (BTF), so that
// they load on kernels without.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;

#define SEC(name) __attribute__((section(name), used))
#define always_inline static inline __attribute__((always_inline))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name

// include/uapi/linux/bpf.h: enum bpf_map_type, flags of BPF_MAP_CREATE, helpers by
// number.
enum { MAP_HASH = 1, MAP_ARRAY = 2, MAP_PERCPU_ARRAY = 6, MAP_STACKS = 7 };
enum { F_MMAPABLE = 1 << 10 };

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*map_delete)(void *map, const void *key) = (void *)3;
static u64 (*ktime_get_ns)(void) = (void *)5;
static u32 (*this_cpu)(void) = (void *)8;
static u64 (*current_pid_tgid)(void) = (void *)14;
static long (*stack_id)(void *ctx, void *map, u64 flags) = (void *)27;
static long (*probe_read)(void *to, u32 size, const void *from) = (void *)113; // bpf_probe_read_kernel
