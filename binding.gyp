# The addon: one source a kernel, Node-API only, so that one binary serves every Node from 20 on.
# A checked build: node-pre-gyp configure build --sanitize=address,undefined (see native/README.md).
{
  'variables': { 'sanitize%': '' },
  'targets': [
    {
      'target_name': '<(module_name)',
      'sources': [
        'native/podplane.cc',
        'native/five-tuple.cc',
        'native/conntrack-lookup.cc',
        'native/short-path.cc',
        'native/memory-floor.cc',
      ],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      'cflags': ['-O3', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-tree-slp-vectorize'],
      'cflags_cc': ['-std=c++17'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
        'GCC_OPTIMIZATION_LEVEL': '3',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'WARNING_CFLAGS': ['-Wall', '-Wextra'],
      },
      'conditions': [
        ['sanitize!=""', {
          'cflags': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer', '-g'],
          'ldflags': ['-fsanitize=<(sanitize)'],
        }],
      ],
    },
    {
      'target_name': 'install_addon',
      'type': 'none',
      'dependencies': ['<(module_name)'],
      'copies': [{ 'files': ['<(PRODUCT_DIR)/<(module_name).node'], 'destination': '<(module_path)' }],
    },
  ],
}
