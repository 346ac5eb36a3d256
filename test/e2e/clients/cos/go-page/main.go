package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/tencentyun/cos-go-sdk-v5"
)

func main() {
	gateway, _ := url.Parse("http://" + os.Getenv("GATEWAY"))
	client := cos.NewClient(&cos.BaseURL{BucketURL: gateway, ServiceURL: gateway}, &http.Client{
		Transport: &cos.AuthorizationTransport{
			SecretID:  os.Getenv("SECRET_ID"),
			SecretKey: os.Getenv("SECRET_KEY"),
		},
	})
	client.Host = "acme-1250000000.cos.ap-guangzhou.myqcloud.com"
	options := &cos.ObjectPutOptions{
		ObjectPutHeaderOptions: &cos.ObjectPutHeaderOptions{XCosServerSideEncryption: "AES256"},
	}
	if _, err := client.Object.Put(context.Background(), "from/go.txt", strings.NewReader("hello"), options); err != nil {
		panic(err)
	}
	answer, err := client.Object.Get(context.Background(), "from/go.txt", nil)
	if err != nil {
		panic(err)
	}
	bytes, _ := io.ReadAll(answer.Body)
	fmt.Println(string(bytes))
}
