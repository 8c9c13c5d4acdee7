package modelstest

import "testing"

// Disk is a file system in memory that can be full.
type Disk struct{ dir string }

// NewDisk puts a disk over an empty folder until the test ends. Only root may.
func NewDisk(t testing.TB, dir string) (*Disk, error) {
	t.Helper()
	d, err := mount(dir, "mode=0700")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, nil
}
