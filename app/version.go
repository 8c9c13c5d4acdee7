package app

import (
	"fmt"
	"runtime/debug"
	"strings"
)

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p Process) error {
	_, err := fmt.Fprintln(p.Stdout, Version())
	return err
}

// version is set at release with -ldflags "-X …/app.version=1.2.3".
var version string

// Version is the release, or the version in the build information.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "1.0.0-dev"
}
