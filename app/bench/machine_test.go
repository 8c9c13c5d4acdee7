package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// machine is where the figures were measured.
type machine struct {
	Cores       int    `json:"cores"`
	CPU         string `json:"cpu"`
	MemoryGiB   int    `json:"memory_gib"`
	Kernel      string `json:"kernel"`
	FileSystem  string `json:"file_system"` // of the databases
	Go          string `json:"go"`
	PostgreSQL  string `json:"postgresql"`
	SQLite      string `json:"sqlite"`
	Settings    string `json:"postgresql_settings"` // that are not the default
	Synchronous string `json:"durability"`
}

func describe(t testing.TB) machine {
	t.Helper()
	pg, lite := newBenchSite(t, "postgres"), newBenchSite(t, "sqlite")
	return machine{
		Cores: runtime.NumCPU(), CPU: afterColon(t, "/proc/cpuinfo", "model name"), MemoryGiB: memoryGiB(t),
		Kernel: firstLine(t, "/proc/sys/kernel/osrelease"), FileSystem: fileSystem(t, os.TempDir()),
		Go: runtime.Version(), PostgreSQL: pg.text("show server_version"), SQLite: lite.text("select sqlite_version()"),
		Settings:    pg.text("select string_agg(name || '=' || current_setting(name), ' ' order by name) from pg_settings where source = 'command line' and name not in ('port', 'unix_socket_directories', 'listen_addresses')"),
		Synchronous: "PostgreSQL: fsync " + pg.text("show fsync") + ", synchronous_commit " + pg.text("show synchronous_commit") + "; SQLite: synchronous " + lite.synchronous(),
	}
}

// synchronous is the setting of the store's connections, which the instances'
// have too.
func (s *benchSite) synchronous() string {
	return map[int64]string{0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[s.number("pragma synchronous")]
}

func memoryGiB(t testing.TB) int {
	t.Helper()
	kib, err := strconv.ParseFloat(strings.Fields(afterColon(t, "/proc/meminfo", "MemTotal"))[0], 64)
	ok(t, err)
	return int(kib/(1<<20) + 0.5)
}

func afterColon(t testing.TB, path, key string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// fileSystem is the type of the one that a folder is on.
func fileSystem(t testing.TB, dir string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/mounts")
	ok(t, err)
	kind, longest := "unknown", ""
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if strings.HasPrefix(dir+"/", strings.TrimSuffix(f[1], "/")+"/") && len(f[1]) >= len(longest) {
			kind, longest = f[2], f[1]
		}
	}
	return kind
}
