package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print a JSON object with the version, the commit and the Go that built the program."`
}

// build describes this program.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // the commit, where the build knew it
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// Run prints the version.
func (v versionCommand) Run(p Process) error {
	if !v.JSON {
		_, err := fmt.Fprintln(p.Stdout, Version())
		return err
	}
	return json.NewEncoder(p.Stdout).Encode(build{Version(), commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
}

// version and revision are set by make build, make package and the image, with
// -ldflags "-X github.com/sitehooks/sitehooks/app.version=1.2.3".
var version, revision string

// Version is what git describe said when the program was built. A program that
// was built by go build or go install alone has what Go noted: the release, a
// version made of the commit, or "devel".
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return strings.TrimPrefix(strings.Trim(info.Main.Version, "()"), "v")
}

// commit is the full id of the commit that was built, empty if it is unknown.
func commit() string {
	noted := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				noted = s.Value
			}
		}
	}
	return cmp.Or(revision, noted)
}
