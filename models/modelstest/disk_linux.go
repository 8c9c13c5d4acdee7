package modelstest

import (
	"fmt"
	"syscall"
)

// diskSize is how much a disk holds while it is not full.
const diskSize = "size=8g"

func mount(dir, options string) (*Disk, error) {
	if err := syscall.Mount("sitehooks-test", dir, "tmpfs", 0, diskSize+","+options); err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	return &Disk{dir}, nil
}

func (d *Disk) unmount() error {
	if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", d.dir, err)
	}
	return nil
}

// Fill leaves room for 64 KiB.
func (d *Disk) Fill() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &disk); err != nil {
		return err
	}
	return d.resize(fmt.Sprintf("size=%d", int64(disk.Blocks-disk.Bfree)*disk.Bsize+64<<10))
}

// Free makes room again.
func (d *Disk) Free() error { return d.resize(diskSize) }

func (d *Disk) resize(size string) error {
	return syscall.Mount("sitehooks-test", d.dir, "tmpfs", syscall.MS_REMOUNT, size)
}
