package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// server starts PostgreSQL, on a disk of its own if this system lets us.
func (f *tortureFleet) server() {
	var err error
	if f.db, f.disk, err = modelstest.StartPostgresOnDisk(f.run.t); err != nil {
		f.run.noDisk("the disk is never full", err)
		f.run.full = 0
		f.db = modelstest.StartPostgres(f.run.t)
	}
}

// onDisk is a folder for SQLite, on a disk of its own if this system lets us.
func (f *tortureFleet) onDisk() (dir string) {
	var err error
	dir = f.run.t.TempDir()
	if f.disk, err = modelstest.NewDisk(f.run.t, dir); err != nil {
		f.run.noDisk("a full one is a limit on the size of files", err)
	}
	return dir
}

// noDisk logs the replacement for the disk. As root there must be a disk.
func (r *tortureRun) noDisk(instead string, err error) {
	if os.Geteuid() == 0 || os.Getenv("CI") != "" {
		r.t.Fatalf("no disk of its own: %v", err)
	}
	r.t.Logf("no disk of its own: %v; %s", err, instead)
}

// setRoom makes the disk full, or gives it room again.
func (f *tortureFleet) setRoom(full bool) error {
	switch {
	case f.disk == nil:
		return f.limit(full)
	case full:
		return f.disk.Fill()
	}
	if err := f.disk.Free(); err != nil || f.db == nil {
		return err
	}
	// A server that could not write its log has ended; the operator that makes
	// space starts it again.
	f.run.until("PostgreSQL is up again", func() bool {
		return f.ask("select 1") == nil || f.db.Start() == nil
	})
	return nil
}

// limit lets the instance write nothing beyond the first few bytes of a file.
func (f *tortureFleet) limit(full bool) error {
	size := "unlimited"
	if full {
		size = "4096"
	}
	ctx, cancel := context.WithTimeout(context.Background(), apptest.Patience)
	defer cancel()
	s := f.slots[0]
	s.mu.Lock()
	pid := s.now.cmd.Process.Pid
	s.mu.Unlock()
	out, err := exec.CommandContext(ctx, "prlimit", "--pid", strconv.Itoa(pid), "--fsize="+size+":").CombinedOutput()
	if err != nil {
		return fmt.Errorf("prlimit: %w: %s", err, out)
	}
	return nil
}

// fills makes the disk full and gives it room again. The instance must live
// through it, say 503, and go on afterwards.
func (f *tortureFleet) fills(stop <-chan struct{}, random *rand.Rand) {
	each := f.run.span / time.Duration(f.run.full+1)
	for range f.run.full {
		if !apptest.Pause(stop, each/2+time.Duration(random.Int64N(int64(each)/3))) {
			return
		}
		f.fill(stop, random)
	}
}

func (f *tortureFleet) fill(stop <-chan struct{}, random *rand.Rand) {
	f.peace.RLock()
	defer f.peace.RUnlock()
	f.power.Lock()
	defer f.power.Unlock()
	if f.db == nil { // nobody ends the only instance meanwhile
		f.slots[0].calm.Lock()
		defer f.slots[0].calm.Unlock()
	}
	f.faulty("times the disk was full", func() { f.whileFull(stop, random) })
}

func (f *tortureFleet) whileFull(stop <-chan struct{}, random *rand.Rand) {
	before := f.run.counted("answers 503 while the disk was full")
	f.full.Store(true)
	if err := f.setRoom(true); err != nil {
		f.run.fault("other faults", "the harness: %v", err)
	}
	// Reported until it is accepted, which is not before there is room.
	var reported sync.WaitGroup
	reported.Go(func() {
		more := f.run.random(randomDatabase + 2)
		for f.full.Load() {
			f.run.site.report(more, []*tortureEvent{f.run.site.newEvent(more)})
		}
	})
	f.run.until("an instance whose disk is full answers 503", func() bool {
		return f.run.counted("answers 503 while the disk was full") > before
	})
	apptest.Pause(stop, time.Duration(random.Int64N(int64(f.run.uptime/4)))) // full for a while
	f.full.Store(false)
	if err := f.setRoom(false); err != nil {
		f.run.fault("other faults", "the harness: %v", err)
	}
	reported.Wait()
}
