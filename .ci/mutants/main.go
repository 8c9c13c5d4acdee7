// Command mutants puts small faults into the code, one at a time, and tells
// which of them no test notices.
//
//	go run ./.ci/mutants [-n 400] [-seed S] [-in models,models/db,jobs,jobs/send,jobs/wire,jobs/wire/object,jobs/wire/read] [-tests ./models/... ./jobs/...]
//	go run ./.ci/mutants -again REPORT [-tests ./handlers/...]
//
// First it runs each test by itself and notes the lines that it covers; then it
// draws faults at random, runs the tests that cover each, and prints those that
// survived. The source files are not touched: the compiler reads the changed
// file from elsewhere (go build -overlay). It takes about an hour for 400. With
// -again it tries those that survived an earlier run, whose output is in a file:
// with new tests, or with those of other packages.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 400, "how many faults")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "replays a run")
	in := flag.String("in", "models,models/db,jobs,jobs/send,jobs/wire,jobs/wire/object,jobs/wire/read", "folders whose code gets faults")
	tests := flag.String("tests", "./models/... ./jobs/...", "packages whose tests may notice them")
	workers := flag.Int("workers", 2, "faults tried at once")
	most := flag.Duration("most", time.Minute, "a test that takes longer has noticed the fault")
	again := flag.String("again", "", "the output of an earlier run: only what survived it is tried")
	coverage := flag.String("coverage", "", "a file that keeps the lines that each test covers; it is read when it is there")
	flag.Parse()

	work, err := os.MkdirTemp("", "mutants-")
	check(err)
	defer os.RemoveAll(work)
	folders := strings.Split(*in, ",")
	faults := faultsIn(folders)
	fmt.Printf("seed %d, %d possible faults in %s\n", *seed, len(faults), *in)
	r := &run{work: work, most: *most, folders: folders}
	r.readCoverage(*coverage, strings.Fields(*tests))
	if *again != "" {
		faults = survivorsOf(*again, faults)
	}
	random := rand.New(rand.NewPCG(*seed, 0)) //nolint:gosec // keeps no secret
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })

	next := make(chan fault)
	var all sync.WaitGroup
	for w := range *workers {
		all.Go(func() {
			for f := range next {
				r.try(f, filepath.Join(work, fmt.Sprint(w)))
			}
		})
	}
	for _, f := range faults {
		if r.done() >= *n {
			break
		}
		next <- f
	}
	close(next)
	all.Wait()
	r.report()
}

// survivorsOf are the faults that the output of an earlier run names as such.
func survivorsOf(output string, faults []fault) []fault {
	text, err := os.ReadFile(output) //nolint:gosec // named on the command line
	check(err)
	return slices.DeleteFunc(faults, func(f fault) bool { return !strings.Contains(string(text), " SURVIVED "+f.String()) })
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// run is one run over many faults.
type run struct {
	work    string
	most    time.Duration
	folders []string
	covers  map[string][]cover // file → the tests that cover its lines

	mu        sync.Mutex
	noticed   int
	survivors []string
}

// cover says that a test runs some lines of a file.
type cover struct {
	Test        test
	First, Last int
}

type test struct{ Package, Name string }

func (r *run) done() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.noticed + len(r.survivors)
}

// try puts one fault into the code and runs the tests that cover its line. A
// fault that does not compile counts for nothing.
func (r *run) try(f fault, dir string) {
	check(os.MkdirAll(dir, 0o755)) //nolint:gosec // a folder of this run
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	here, err := filepath.Abs(f.file)
	check(err)
	check(os.WriteFile(changed, f.changed(), 0o600))
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{here: changed}})
	check(err)
	check(os.WriteFile(overlay, text, 0o600))

	byPackage := map[string][]string{}
	for _, c := range r.covers[f.file] {
		if c.First <= f.line && f.line <= c.Last && !slices.Contains(byPackage[c.Test.Package], c.Test.Name) {
			byPackage[c.Test.Package] = append(byPackage[c.Test.Package], c.Test.Name)
		}
	}
	if len(byPackage) == 0 {
		r.survived(f, "no test runs this line")
		return
	}
	for pkg, names := range byPackage {
		binary := filepath.Join(dir, "test")
		if out, err := exec.Command("go", "test", "-overlay", overlay, "-c", "-o", binary, pkg).CombinedOutput(); err != nil { //nolint:gosec // the project's own packages
			if bytes.Contains(out, []byte(filepath.Base(changed))) {
				return // it does not compile
			}
			log.Fatalf("%s: %s", pkg, out)
		}
		if !r.passes(binary, pkg, names) {
			r.mu.Lock()
			r.noticed++
			n := r.noticed + len(r.survivors)
			r.mu.Unlock()
			fmt.Printf("%d noticed %s\n", n, f)
			return
		}
	}
	r.survived(f, "")
}

func (r *run) survived(f fault, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := strings.TrimSpace(f.String() + " " + why)
	r.survivors = append(r.survivors, line)
	fmt.Printf("%d SURVIVED %s\n", r.noticed+len(r.survivors), line)
}

// passes runs tests of a package with the fault in it.
func (r *run) passes(binary, pkg string, names []string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), r.most)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$") //nolint:gosec // built above
	cmd.Dir, cmd.WaitDelay = folderOf(pkg), time.Second
	return cmd.Run() == nil
}

func (r *run) report() {
	slices.Sort(r.survivors)
	of := r.noticed + len(r.survivors)
	fmt.Printf("\n%d of %d noticed (%.1f %%), %d survived:\n", r.noticed, of, 100*float64(r.noticed)/float64(max(1, of)), len(r.survivors))
	for _, s := range r.survivors {
		fmt.Println(s)
	}
}

// readCoverage runs each test by itself, or reads what an earlier run noted.
func (r *run) readCoverage(file string, packages []string) {
	if text, err := os.ReadFile(file); err == nil { //nolint:gosec // named on the command line
		check(json.Unmarshal(text, &r.covers))
		return
	}
	r.covers = map[string][]cover{}
	out, err := exec.Command("go", append([]string{"list"}, packages...)...).Output() //nolint:gosec // named on the command line
	check(err)
	for pkg := range strings.FieldsSeq(string(out)) {
		r.coverPackage(pkg)
	}
	if file != "" {
		text, err := json.Marshal(r.covers)
		check(err)
		check(os.WriteFile(file, text, 0o600))
	}
}

func (r *run) coverPackage(pkg string) {
	binary := filepath.Join(r.work, "cover.test")
	var own []string
	for _, folder := range r.folders {
		own = append(own, "./"+folder)
	}
	out, err := exec.Command("go", "test", "-c", "-cover", "-coverpkg", strings.Join(own, ","), "-o", binary, pkg).CombinedOutput() //nolint:gosec // the project's own
	if err != nil {
		log.Fatalf("%s: %s", pkg, out)
	}
	if _, err := os.Stat(binary); err != nil {
		return // it has no tests
	}
	defer os.Remove(binary)
	list := exec.Command(binary, "-test.list", "^(Test|Fuzz)") //nolint:gosec // built above
	list.Dir = folderOf(pkg)
	names, err := list.Output()
	check(err)
	for name := range strings.FieldsSeq(string(names)) {
		profile := filepath.Join(r.work, "profile")
		cmd := exec.Command(binary, "-test.run", "^"+name+"$", "-test.coverprofile", profile) //nolint:gosec // built above
		cmd.Dir = folderOf(pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			log.Printf("%s %s fails without a fault and is left out: %s", pkg, name, lastLine(out))
			continue
		}
		text, err := os.ReadFile(profile) //nolint:gosec // written above
		check(err)
		r.addCoverage(test{pkg, name}, string(text))
	}
	fmt.Println("covered by", pkg)
}

var profileLine = regexp.MustCompile(`(?m)^(\S+):(\d+)\.\d+,(\d+)\.\d+ \d+ [1-9]`)

func (r *run) addCoverage(t test, profile string) {
	for _, m := range profileLine.FindAllStringSubmatch(profile, -1) {
		file := relative(m[1])
		r.covers[file] = append(r.covers[file], cover{t, number(m[2]), number(m[3])})
	}
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

var modulePath = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m").Output()
	check(err)
	return strings.TrimSpace(string(out))
})

// relative is a file of the project as it is named from its top.
func relative(file string) string { return strings.TrimPrefix(file, modulePath()+"/") }

func folderOf(pkg string) string { return "./" + relative(pkg) }

func number(text string) (n int) {
	_, err := fmt.Sscan(text, &n)
	check(err)
	return n
}
