// Reads Kubernetes manifests (YAML documents) from standard input and decodes each strictly into the
// type that Kubernetes itself uses: an unknown kind or field, a wrong type or a field given twice is
// told, and the exit status is 1. Kinds that Kubernetes does not define are allowed by name.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

var foreign = []string{"kind: ServiceMonitor\n", "kind: PrometheusRule\n"}

func isForeign(document string) bool {
	for _, mark := range foreign {
		if strings.Contains(document, mark) {
			return true
		}
	}
	return false
}

func isEmpty(document string) bool {
	for _, line := range strings.Split(document, "\n") {
		if line = strings.TrimSpace(line); line != "" && line != "---" && line[0] != '#' {
			return false
		}
	}
	return true
}

func main() {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	count, wrong := 0, 0
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if isEmpty(string(document)) || isForeign(string(document)) {
			continue
		}
		count++
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			fmt.Printf("%s\n%v\n", strings.SplitN(string(document), "spec:", 2)[0], err)
			wrong++
		}
	}
	fmt.Printf("%d manifests, %d wrong\n", count, wrong)
	if wrong > 0 || count == 0 {
		os.Exit(1)
	}
}
