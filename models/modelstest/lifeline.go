package modelstest

import (
	"io"
	"os"
	"os/exec"
)

// epitaph waits for the end of its input, which comes when the test process
// closes the pipe or ends in any way, SIGKILL included. It outlives the test
// by the moment that it takes to stop the server and remove its files.
const epitaph = `cat >/dev/null; "$1" stop -s -m immediate -D "$2/data" >/dev/null 2>&1; exec rm -rf "$2"`

// lifeline ties a server's life to this process.
type lifeline struct {
	cmd  *exec.Cmd
	pipe io.Closer
}

// tie starts the watcher for the server in dir. It is in a process group
// of its own, because Ctrl-C goes to the whole group of the test.
func tie(pgCtl, dir string, as *account) (*lifeline, error) {
	cmd := exec.Command("/bin/sh", "-c", epitaph, "sh", pgCtl, dir)
	cmd.Dir, cmd.Env = dir, environ()
	cmd.SysProcAttr = ownGroup(as)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &lifeline{cmd, pipe}, nil
}

// cut stops the server, removes its files and returns when both are done.
func (l *lifeline) cut() error {
	if err := l.pipe.Close(); err != nil {
		return err
	}
	return l.cmd.Wait()
}

// environ is the environment of the server's programs: without the caller's PG
// variables, and with the same locale everywhere.
func environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
}
