package app

import (
	"fmt"
	"os"
	"runtime"

	"github.com/sitehooks/sitehooks/jobs/jq"
)

// jqCommand is the child process in which the programs of sources run. Only
// Sitehooks itself starts it.
type jqCommand struct{}

// Run answers requests on standard input until it ends.
func (jqCommand) Run(p Process) error { return jq.Serve(p.Stdin, p.Stdout) }

// newJQ makes a runner of programs, whose children are this program.
func newJQ() (*jq.Runner, error) {
	self := "/proc/self/exe" // this program, even when a newer one has its name by now
	if runtime.GOOS != "linux" {
		var err error
		if self, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("run jq programs: %w", err)
		}
	}
	return jq.NewRunner(self, "jq"), nil
}
