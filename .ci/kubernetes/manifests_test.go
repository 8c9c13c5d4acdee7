// Package kubernetes renders the manifests in deploy/kubernetes as kubectl
// apply -k does, and reads them into the types of Kubernetes. It is a module of
// its own, so that the product does not depend on these.
package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const deploy = "../../deploy/kubernetes"

// manifests are all kinds that are used.
type manifests struct {
	deployment apps.Deployment
	service    core.Service
	secret     core.Secret
	config     core.ConfigMap
	network    networking.NetworkPolicy
	scaler     autoscaling.HorizontalPodAutoscaler
}

// render reads each document of a folder strictly, and returns their kinds.
func render(t *testing.T, files filesys.FileSystem, folder string) (m manifests, kinds []string, err error) {
	t.Helper()
	options := krusty.MakeDefaultOptions()
	rendered, err := krusty.MakeKustomizer(options).Run(files, folder)
	if err != nil {
		return m, nil, err
	}
	into := map[string]any{
		"Deployment": &m.deployment, "Service": &m.service, "Secret": &m.secret, "ConfigMap": &m.config,
		"NetworkPolicy": &m.network, "HorizontalPodAutoscaler": &m.scaler,
	}
	for _, resource := range rendered.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return m, nil, err
		}
		kind := resource.GetKind()
		if into[kind] == nil {
			return m, nil, fmt.Errorf("%s is not a kind that is expected, or is there twice", kind)
		}
		if err := yaml.UnmarshalStrict(text, into[kind]); err != nil {
			return m, nil, fmt.Errorf("%s: %w", kind, err)
		}
		delete(into, kind)
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return m, kinds, nil
}

func TestManifestsAreValid(t *testing.T) {
	base := []string{"ConfigMap", "Deployment", "NetworkPolicy", "Secret", "Service"}
	for folder, want := range map[string][]string{
		"base": base, "autoscaling": append([]string{"HorizontalPodAutoscaler"}, base...),
	} {
		m, kinds, err := render(t, filesys.MakeFsOnDisk(), deploy+"/"+folder)
		slices.Sort(want)
		if err != nil || !slices.Equal(kinds, want) {
			t.Fatalf("%s: %v, %v", folder, kinds, err)
		}
		pod := m.deployment.Spec.Template.Spec
		if s := pod.TerminationGracePeriodSeconds; s == nil || *s != 35 {
			t.Errorf("%s: a pod is killed after %v seconds", folder, s)
		}
		if links := pod.EnableServiceLinks; links == nil || *links {
			t.Errorf("%s: a Service becomes variables of the instance", folder)
		}
		if scaled := m.deployment.Spec.Replicas == nil; scaled != (folder == "autoscaling") {
			t.Errorf("%s: the number of instances is fixed: %t", folder, !scaled)
		}
		selected(t, m)
		one := pod.Containers[0]
		if one.Image != "registry.example.com/sitehooks:1.0.0" {
			t.Errorf("%s: the image is %s, not the one that the kustomization names", folder, one.Image)
		}
		for name, probe := range map[string]*core.Probe{"startup": one.StartupProbe, "readiness": one.ReadinessProbe, "liveness": one.LivenessProbe} {
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Port.StrVal != one.Ports[0].Name {
				t.Errorf("%s: the %s probe does not ask the instance", folder, name)
			}
		}
	}
}

// selected says whether service, policy and scaler are about the pods of the
// deployment.
func selected(t *testing.T, m manifests) {
	t.Helper()
	labels := m.deployment.Spec.Template.Labels
	for what, selector := range map[string]map[string]string{
		"deployment": m.deployment.Spec.Selector.MatchLabels, "service": m.service.Spec.Selector,
		"network policy": m.network.Spec.PodSelector.MatchLabels,
	} {
		if len(selector) == 0 || !maps.Equal(selector, labels) {
			t.Errorf("the %s selects %v, the pods have %v", what, selector, labels)
		}
	}
	for _, from := range m.deployment.Spec.Template.Spec.Containers[0].EnvFrom {
		switch {
		case from.SecretRef != nil && from.SecretRef.Name == m.secret.Name:
		case from.ConfigMapRef != nil && from.ConfigMapRef.Name == m.config.Name:
		default:
			t.Errorf("the environment comes from %v, which is not there", from)
		}
	}
	if name := m.scaler.Spec.ScaleTargetRef.Name; name != "" && name != m.deployment.Name {
		t.Errorf("%s is scaled, which is not there", name)
	}
}

// TestMisspeltFieldsFail: the check above sees a wrong name in each file.
func TestMisspeltFieldsFail(t *testing.T) {
	files, err := os.ReadDir(deploy + "/base")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, misspelt := range files {
		memory := filesys.MakeFsInMemory()
		for _, file := range files {
			text, err := os.ReadFile(deploy + "/base/" + file.Name())
			if err != nil {
				t.Fatal(err)
			}
			if file.Name() == misspelt.Name() {
				text = []byte(wrong.Replace(string(text)))
			}
			if err := memory.WriteFile("base/"+file.Name(), text); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := render(t, memory, "base"); err == nil || !strings.Contains(err.Error(), "nown field") {
			t.Errorf("%s: %v", misspelt.Name(), err)
		}
	}
}

// wrong misspells one field of each file.
var wrong = strings.NewReplacer("resources:\n  - secret", "resource:\n  - secret", "stringData:", "stringDate:", "\ndata:", "\ndatas:",
	"enableServiceLinks", "enableServicelink", "targetPort", "tagetPort", "policyTypes", "policyType")
