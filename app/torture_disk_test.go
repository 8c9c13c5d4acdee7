package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// mount gives SQLite a disk of its own, in memory, if this system lets us.
func (f *tortureFleet) mount() {
	if err := syscall.Mount("torture", f.dir, "tmpfs", 0, "size=8g"); err != nil {
		f.run.t.Logf("no disk of its own: %v; a full one is a limit on the size of files", err)
		return
	}
	f.disk = true
	f.run.t.Cleanup(func() {
		if err := syscall.Unmount(f.dir, syscall.MNT_DETACH); err != nil {
			f.run.t.Errorf("unmount: %v", err)
		}
	})
}

// room makes the disk full, or gives it room again.
func (f *tortureFleet) room(full bool) error {
	if !f.disk {
		return f.limit(full)
	}
	size := "size=8g"
	if full {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(f.dir, &disk); err != nil {
			return err
		}
		size = fmt.Sprintf("size=%d", int64(disk.Blocks-disk.Bfree)*disk.Bsize+64<<10)
	}
	return syscall.Mount("torture", f.dir, "tmpfs", syscall.MS_REMOUNT, size)
}

// limit lets the instance write nothing beyond the first few bytes of a file.
func (f *tortureFleet) limit(full bool) error {
	size := "unlimited"
	if full {
		size = "4096"
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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
		if !pause(stop, each/2+time.Duration(random.Int64N(int64(each)/3))) {
			return
		}
		f.fill(stop, random)
	}
}

func (f *tortureFleet) fill(stop <-chan struct{}, random *rand.Rand) {
	s := f.slots[0]
	f.peace.RLock()
	defer f.peace.RUnlock()
	s.calm.Lock() // nobody ends it meanwhile
	defer s.calm.Unlock()
	before := f.run.counted("answers 503 while the disk was full")
	f.full.Store(true)
	if err := f.room(true); err != nil {
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
	pause(stop, time.Duration(random.Int64N(int64(f.run.up/4)))) // full for a while
	f.full.Store(false)
	if err := f.room(false); err != nil {
		f.run.fault("other faults", "the harness: %v", err)
	}
	f.run.count("times the disk was full", 1)
	reported.Wait()
}
