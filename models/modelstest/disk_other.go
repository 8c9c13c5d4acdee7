//go:build !linux

package modelstest

import "errors"

var errNoDisk = errors.New("a disk in memory takes Linux")

func mount(string, string) (*Disk, error) { return nil, errNoDisk }

func (*Disk) unmount() error { return errNoDisk }

// Fill leaves room for 64 KiB.
func (*Disk) Fill() error { return errNoDisk }

// Free makes room again.
func (*Disk) Free() error { return errNoDisk }
