import com.aliyun.oss.ClientBuilderConfiguration;
import com.aliyun.oss.OSS;
import com.aliyun.oss.OSSClientBuilder;
import com.aliyun.oss.OSSException;
import com.aliyun.oss.common.auth.DefaultCredentialProvider;
import com.aliyun.oss.common.comm.SignVersion;
import com.aliyun.oss.model.CompleteMultipartUploadRequest;
import com.aliyun.oss.model.DeleteObjectsRequest;
import com.aliyun.oss.model.GetObjectRequest;
import com.aliyun.oss.model.InitiateMultipartUploadRequest;
import com.aliyun.oss.model.ListObjectsRequest;
import com.aliyun.oss.model.ListObjectsV2Request;
import com.aliyun.oss.model.ObjectMetadata;
import com.aliyun.oss.model.OSSObjectSummary;
import com.aliyun.oss.model.PartETag;
import com.aliyun.oss.model.UploadPartRequest;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The Java SDK of OSS through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.
 *
 * <p>Arguments: endpoint, bucket, version of the signature (v1, v4), and where the bucket stands (path; or signature, in
 * which alone the SDK has it where the endpoint is not the vendor's, because it takes it for a CNAME). Credentials come
 * from OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.
 */
public final class OssSuite {
  private interface Case {
    void run() throws Exception;
  }

  private static String endpoint;
  private static String bucket;
  private static String version;
  private static boolean inPath;
  private static OSS client;

  private static OSS connect(String secret) {
    ClientBuilderConfiguration configuration = new ClientBuilderConfiguration();
    configuration.setSLDEnabled(inPath);
    configuration.setMaxErrorRetry(0);
    configuration.setSignatureVersion("v4".equals(version) ? SignVersion.V4 : SignVersion.V1);
    return OSSClientBuilder.create()
        .endpoint(endpoint)
        .region("cn-hangzhou")
        .clientConfiguration(configuration)
        .credentialsProvider(new DefaultCredentialProvider(System.getenv("OSS_ACCESS_KEY_ID"), secret))
        .build();
  }

  private static void equal(Object actual, Object expected) {
    if (!actual.equals(expected)) throw new AssertionError(actual + " is not " + expected);
  }

  private static void fails(String code, Case what) throws Exception {
    try {
      what.run();
    } catch (OSSException error) {
      equal(error.getErrorCode(), code);
      return;
    }
    throw new AssertionError("did not fail with " + code);
  }

  private static byte[] blob(int size) {
    byte[] bytes = new byte[size];
    for (int at = 0; at < size; at++) bytes[at] = (byte) (at * 31 + at / 251);
    return bytes;
  }

  private static void put(String key, byte[] bytes) {
    client.putObject(bucket, key, new ByteArrayInputStream(bytes));
  }

  private static byte[] read(GetObjectRequest request) throws Exception {
    try (InputStream stream = client.getObject(request).getObjectContent()) {
      return stream.readAllBytes();
    }
  }

  private static byte[] read(String key) throws Exception {
    return read(new GetObjectRequest(bucket, key));
  }

  private static Map<String, Case> cases() {
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("round trips", () -> {
      for (int size : new int[] {0, 1, 65535, 65536, 65537, 1000001}) {
        put("size/" + size, blob(size));
        equal(Arrays.equals(read("size/" + size), blob(size)), true);
        equal(client.getObjectMetadata(bucket, "size/" + size).getContentLength(), (long) size);
      }
    });
    cases.put("keys", () -> {
      for (String key : List.of("a b+c!'()*~=&中.txt", "dir/o 1.txt", "per%cent", "?q#h")) {
        put(key, key.getBytes(StandardCharsets.UTF_8));
        equal(new String(read(key), StandardCharsets.UTF_8), key);
        client.deleteObject(bucket, key);
        equal(client.doesObjectExist(bucket, key), false);
      }
    });
    cases.put("metadata", () -> {
      ObjectMetadata metadata = new ObjectMetadata();
      metadata.addUserMetadata("one", "1");
      metadata.setContentType("text/csv");
      client.putObject(bucket, "meta", new ByteArrayInputStream(blob(1)), metadata);
      ObjectMetadata told = client.getObjectMetadata(bucket, "meta");
      equal(told.getUserMetadata(), Map.of("one", "1"));
      equal(told.getContentType(), "text/csv");
    });
    cases.put("ranges", () -> {
      put("range", blob(1000));
      GetObjectRequest some = new GetObjectRequest(bucket, "range");
      some.setRange(10, 19);
      equal(Arrays.equals(read(some), Arrays.copyOfRange(blob(1000), 10, 20)), true);
      some.setRange(10, 2000);
      equal(read(some).length, 1000);
    });
    cases.put("lists", () -> {
      List<String> keys = List.of("list/a", "list/b b/1", "list/c+d");
      for (String key : keys) put(key, blob(5));
      List<OSSObjectSummary> listed = client.listObjects(new ListObjectsRequest(bucket).withPrefix("list/")).getObjectSummaries();
      equal(listed.stream().map(OSSObjectSummary::getKey).collect(Collectors.toList()), keys);
      equal(client.listObjects(new ListObjectsRequest(bucket).withPrefix("list/").withDelimiter("/")).getCommonPrefixes(), List.of("list/b b/"));
      equal(client.listObjectsV2(new ListObjectsV2Request(bucket).withPrefix("list/").withMaxKeys(2)).isTruncated(), true);
    });
    cases.put("deletes many", () -> {
      put("many/1", blob(1));
      equal(client.deleteObjects(new DeleteObjectsRequest(bucket).withKeys(List.of("many/1", "many/2"))).getDeletedObjects().size(), 2);
    });
    cases.put("copies", () -> {
      put("copy/ü +", blob(1000));
      String etag = client.copyObject(bucket, "copy/ü +", bucket, "copied").getETag();
      equal(client.getObjectMetadata(bucket, "copied").getETag(), etag);
      equal(Arrays.equals(read("copied"), blob(1000)), true);
    });
    cases.put("uploads in parts", () -> {
      byte[] sent = blob(250 * 1024);
      String upload = client.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, "parts")).getUploadId();
      List<PartETag> parts = new ArrayList<>();
      for (int number = 1, from = 0; from < sent.length; number++, from += 100 * 1024) {
        byte[] piece = Arrays.copyOfRange(sent, from, Math.min(sent.length, from + 100 * 1024));
        parts.add(client.uploadPart(new UploadPartRequest(bucket, "parts", upload, number, new ByteArrayInputStream(piece), piece.length)).getPartETag());
      }
      client.completeMultipartUpload(new CompleteMultipartUploadRequest(bucket, "parts", upload, parts));
      equal(Arrays.equals(read("parts"), sent), true);
    });
    cases.put("encryption", () -> {
      ObjectMetadata metadata = new ObjectMetadata();
      metadata.setServerSideEncryption("KMS");
      client.putObject(bucket, "kms", new ByteArrayInputStream(blob(1)), metadata);
      equal(client.getObjectMetadata(bucket, "kms").getServerSideEncryption(), "KMS");
      ObjectMetadata refused = new ObjectMetadata();
      refused.setHeader("x-oss-server-side-encryption", "SM4");
      fails("InvalidEncryptionAlgorithmError", () -> client.putObject(bucket, "no", new ByteArrayInputStream(blob(1)), refused));
    });
    cases.put("signed URLs", () -> {
      put("signed", blob(10));
      URL url = client.generatePresignedUrl(bucket, "signed", new Date(System.currentTimeMillis() + 60_000));
      try (InputStream stream = url.openStream()) {
        equal(Arrays.equals(stream.readAllBytes(), blob(10)), true);
      }
      URL forged = new URL(url.toString().replace("signed", "forged"));
      equal(((HttpURLConnection) forged.openConnection()).getResponseCode(), 403);
    });
    cases.put("buckets", () -> {
      equal(client.doesBucketExist(bucket), true);
      equal(client.getBucketInfo(bucket).getBucket().getName(), bucket);
    });
    cases.put("errors", () -> {
      fails("NoSuchKey", () -> client.getObject(bucket, "absent"));
      OSS other = connect("wrong");
      fails("SignatureDoesNotMatch", () -> other.getObject(bucket, "absent"));
      other.shutdown();
    });
    return cases;
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "") + '"';
  }

  public static void main(String[] arguments) {
    endpoint = arguments[0];
    bucket = arguments[1];
    version = arguments[2];
    inPath = "path".equals(arguments[3]);
    client = connect(System.getenv("OSS_ACCESS_KEY_SECRET"));
    client.createBucket(bucket);
    cases().forEach((name, each) -> {
      try {
        each.run();
        System.out.println("{\"case\": " + quoted(name) + ", \"ok\": true}");
      } catch (Throwable error) {
        System.out.println("{\"case\": " + quoted(name) + ", \"ok\": false, \"error\": " + quoted(String.valueOf(error)) + "}");
      }
    });
    client.shutdown();
  }
}
